"""Buffers move once a step: from the first look at the model, combined over the micro-batches, committed by the update.

A forward in training mode moves running statistics in place. Here every evaluation of the gradient leaves them as it found them (SAM(rho=0)
moved running_mean by 2e-2 without this); what the first evaluation of a step would have made of them waits until the update commits it.
Within a micro-batch only the first call of the model counts: a technique may call it again with changed inputs.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class Buffers:
    """The buffers of one model. `watch` ... `settle` surround one evaluation of the gradient; `commit` is the update's."""

    def __init__(self, model: nn.Module):
        self.all = list(model.buffers())
        self.pending: list[Tensor] | None = None
        self._hook = model.register_forward_hook(self._called) if self.all else None
        # Running statistics move without bumping their version counter (torch's batch_norm does not say that it writes to them).
        norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._NormBase)]
        moving = {id(b) for m in norms for b in m.buffers(recurse=False)}
        self._moving = [place for place, b in enumerate(self.all) if id(b) in moving]  # places in `all` that a forward moves
        self._kept = [b.detach().clone() for b in self.all]
        self._versions = [b._version for b in self.all]
        self._looked = False
        self._after: list[Tensor] | None = None
        self._sum: list[Tensor] = []
        self._rows = 0.0
        self._watching = False

    def begin(self) -> None:
        """A new step: the next evaluation is its first."""
        self.pending = None

    def watch(self) -> None:
        """Before the micro-batches of an evaluation: remember every buffer that may have changed since it was remembered."""
        for place in self._moving:
            self._kept[place].copy_(self.all[place])
        for place, buffer in enumerate(self.all):
            if buffer._version != self._versions[place]:
                self._kept[place].copy_(buffer)
                self._versions[place] = buffer._version
        self._sum, self._rows, self._watching = [], 0.0, True

    def _called(self, *_: Any) -> None:
        if self._watching and self._after is None:
            self._note()

    def _note(self) -> None:
        for place, buffer in enumerate(self.all):
            if place not in self._moving and (
                buffer._version != self._versions[place] or not (self._looked or torch.equal(buffer, self._kept[place]))
            ):
                self._moving.append(place)
        self._looked = True
        self._after = [self.all[place].detach().clone() for place in self._moving] if self.pending is None else []

    def collect(self, rows: float) -> None:
        """After one micro-batch of `rows` rows: add what it made of the buffers and put them back."""
        if self._after is None:
            self._note()  # the model was not called as a whole (a technique called its parts)
        after = self._after or []
        self._after = None
        if self.pending is None:
            for k, value in enumerate(after):
                whole = value.double() * rows if value.is_floating_point() else value
                if k == len(self._sum):
                    self._sum.append(whole)
                elif value.is_floating_point():
                    self._sum[k] += whole
                else:
                    self._sum[k] = torch.maximum(self._sum[k], whole)
            self._rows += rows
        with torch.no_grad():
            for place in self._moving:
                self.all[place].copy_(self._kept[place])
                self._versions[place] = self.all[place]._version

    def settle(self, total: Any) -> None:
        """After all micro-batches: `total` sums a tensor (or a number) over the processes; the first evaluation's result is kept for `commit`."""
        self._watching = False
        if self.pending is not None:
            return
        rows = total(self._rows)
        self.pending = [
            (total(value) / rows if value.is_floating_point() else value).to(self.all[place].dtype)
            for place, value in zip(self._moving, self._sum)
        ]

    def commit(self) -> None:
        with torch.no_grad():
            for place, value in zip(self._moving, self.pending or []):
                self.all[place].copy_(value)
        self.pending = None

    def close(self) -> None:
        if self._hook is not None:
            self._hook.remove()
        self.all = []
