"""Buffers move once a step: from the first look at the model, combined over the micro-batches, committed by the update.

A forward in training mode moves running statistics, in place or by putting a new tensor in the old one's place. Here every evaluation of
the gradient leaves them as it found them (SAM(rho=0) moved running_mean by 2e-2 without this); what the first evaluation of a step would
have made of them waits until the update commits it.
Within a micro-batch only the first call of the model counts: a technique may call it again with changed inputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn


class Buffers:
    """The buffers of one model. `watch` ... `settle` surround one evaluation of the gradient; `commit` is the update's."""

    def __init__(self, model: nn.Module):
        homes = {id(b): (m._buffers, key, b) for m in reversed(list(model.modules())) for key, b in m._buffers.items() if b is not None}
        self._homes: list[tuple[dict[str, Any], str]] = [(home, key) for home, key, _ in homes.values()]  # where each is found
        self.all = [b for _, _, b in homes.values()]
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
        self._mean: list[Tensor] = []
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
        self._mean, self._rows, self._watching = [], 0.0, True

    def _called(self, *_: Any) -> None:
        if self._watching and self._after is None:
            self._note()

    def _now(self, place: int) -> Tensor:
        home, key = self._homes[place]
        return cast("Tensor", home[key])

    def _note(self) -> None:
        for place, buffer in enumerate(self.all):
            if place not in self._moving and (
                self._now(place) is not buffer
                or buffer._version != self._versions[place]
                or not (self._looked or torch.equal(buffer, self._kept[place]))
            ):
                self._moving.append(place)
        self._looked = True
        self._after = [self._now(place).detach().clone() for place in self._moving] if self.pending is None else []

    def collect(self, rows: float) -> None:
        """After one micro-batch of `rows` rows: take what it made of the buffers into the mean, and put them back."""
        if self._after is None:
            self._note()  # the model was not called as a whole (a technique called its parts)
        after = self._after or []
        self._after = None
        if self.pending is None:
            self._rows += rows
            share = rows / self._rows if self._rows else 1.0
            for k, value in enumerate(after):
                wide = value.to(_wide(value))
                if k == len(self._mean):  # the first micro-batch, or the first that moves this buffer: until now it stood still
                    self._mean.append(wide if share == 1.0 else self._kept[self._moving[k]].to(wide.dtype))
                if not value.is_floating_point():
                    self._mean[k] = torch.maximum(self._mean[k], wide)
                else:
                    self._mean[k] = wide if share == 1.0 else (1 - share) * self._mean[k] + share * wide
        self._put_back()

    def _put_back(self) -> None:
        with torch.no_grad():
            for place in self._moving:
                home, key = self._homes[place]
                home[key] = self.all[place].copy_(self._kept[place])
                self._versions[place] = self.all[place]._version

    def undo(self) -> None:
        """An evaluation was broken off: put back what it moved."""
        if self._after is None:
            self._note()
        self._after, self._watching = None, False
        self._put_back()

    def settle(self, total: Any) -> None:
        """After all micro-batches: keep what the first evaluation made, for `commit`; `total` sums a tensor or a number over processes."""
        self._watching = False
        if self.pending is not None:
            return
        rows = total(self._rows)
        alone = rows == self._rows  # then nothing is weighed, and one micro-batch is what torch would have made, bit for bit
        self.pending = [
            (value if alone or not value.is_floating_point() else total(value * self._rows) / rows).to(self.all[place].dtype)
            for place, value in zip(self._moving, self._mean)
        ]

    def commit(self) -> None:
        with torch.no_grad():
            for place, value in zip(self._moving, self.pending or []):
                self.all[place].copy_(value)
        self.pending = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Inside, anyone may move buffers; afterwards they are as they were."""
        kept = [b.detach().clone() for b in self.all]
        try:
            yield
        finally:
            with torch.no_grad():
                for (home, key), buffer, value in zip(self._homes, self.all, kept):
                    home[key] = buffer.copy_(value)

    def close(self) -> None:
        if self._hook is not None:
            self._hook.remove()
        self.all, self._homes = [], []


def _wide(value: Tensor) -> torch.dtype:
    """The type that means are taken in."""
    if not value.is_floating_point():
        return value.dtype
    return torch.float32 if value.device.type == "mps" else torch.float64
