"""What numbers the model computes in, and the check that a gradient is finite.

fp32 and fp64 compute as they are stored; bf16 and fp16 store float32 master weights and run the forward under autocast; fp16 multiplies the
loss so that small gradients survive, and adapts that scale (Micikevicius et al. 2018, "Mixed precision training").
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import torch
from torch import Tensor, nn

Name = Literal["fp32", "fp64", "bf16", "fp16"]

_NOTHING: AbstractContextManager[None] = nullcontext()


class Precision:
    """Autocast, and for fp16 a loss scale that halves on overflow and doubles after `patience` finite steps."""

    patience = 2000

    def __init__(self, name: Name, device: torch.device):
        self.name, self.device = name, device
        self.scale = 65536.0 if name == "fp16" else 1.0
        self.streak = 0  # finite steps since the scale last changed
        self._low = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(name)
        self._one, self._inverse = torch.ones((), device=device), torch.ones((), device=device)

    def store(self, model: nn.Module) -> nn.Module:
        return model.double() if self.name == "fp64" else model

    def cast(self, value: Tensor) -> Tensor:
        """A floating tensor in the type that parameters are stored in."""
        return value.double() if self.name == "fp64" and value.is_floating_point() else value

    def autocast(self) -> AbstractContextManager[Any]:
        return torch.autocast(self.device.type, self._low) if self._low else _NOTHING

    def unscale(self, gradients: list[Tensor], losses: list[Tensor]) -> Tensor:
        """Divide every gradient by the loss scale in place; a 0-d float tensor that is zero when they and `losses` are finite.

        losses: unscaled; they stay as they are, also to a graph that holds them (an infinite loss can have a finite gradient).

        One fused kernel for each type of tensor, no host read: a loop over tensors cost 1.23 of a small step, this 1.03.
        """
        losses = [loss.data for loss in losses]  # times one is written back, of which the graph must not hear
        if self._low is torch.float16:
            self._inverse.fill_(1.0 / self.scale)
            return self._checked(gradients, self._inverse) + self._checked(losses, self._one)
        return self._checked([*gradients, *losses], self._one)

    def overflow(self, gradients: list[Tensor]) -> Tensor:
        """A 0-d float tensor that is zero when all of them are finite; they stay as they are."""
        return self._checked(gradients, self._one)

    def _checked(self, gradients: list[Tensor], inverse: Tensor) -> Tensor:
        found = torch.zeros((), device=self.device)
        kinds: dict[torch.dtype, list[Tensor]] = {}
        for gradient in gradients:
            gradient = gradient._values() if gradient.is_sparse else gradient
            kinds.setdefault(gradient.dtype, []).append(gradient)
        for same in kinds.values():
            torch._amp_foreach_non_finite_check_and_unscale_(same, found, inverse)
        return found

    def adapt(self, finite: bool) -> None:
        """After a step: halve the scale on overflow, double it after a long run of finite steps."""
        if self.name != "fp16":
            return
        self.streak = self.streak + 1 if finite else 0
        if not finite:
            self.scale = max(self.scale / 2, 2.0**-14)
        elif self.streak == self.patience:
            self.scale, self.streak = min(self.scale * 2, 2.0**24), 0
