"""Sharpness-aware minimisation: take the gradient at the worst point nearby (Foret et al. 2021).

The weights climb by rho along the normalised gradient, the gradient there is kept, and the weights go back, bit for bit.
When it helps: generalisation of image models and fine-tuning, mostly with few data or noisy labels; seldom in large-scale pre-training.
What it costs: two gradients a step, so nearly twice the time, and one copy of the weights.
When not to use it: when the budget is time and the model underfits.
Scope: 3.1
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from danlu.core import Batch, Gradient, Objective, Outcome, Run, Technique
from danlu.fields import NonNegative


@dataclass
class SAM(Technique):
    """Use the gradient found after a step of length `rho` uphill, over all micro-batches of the step.

    rho: distance climbed, in the Euclidean norm over all weights
    中文: 锐度感知最小化：先沿梯度上坡走 rho，再用那里的梯度更新。
    """

    rho: NonNegative = 0.05

    neutral: ClassVar = {"rho": 0.0}
    needs: ClassVar = frozenset({"finished gradient"})
    changes: ClassVar = "gradients"

    def wrap_gradient(self, gradient: Gradient, run: Run) -> Gradient:
        def uphill(weights: list[Tensor], grads: list[Tensor]) -> list[Tensor]:
            norm = run.placement.norm(grads)
            scale = torch.where(norm > 0, self.rho / norm, torch.zeros_like(norm))
            return list(torch._foreach_mul(grads, scale))

        return gradient if self.rho == 0.0 else sharpened(gradient, run, uphill)


def sharpened(gradient: Gradient, run: Run, uphill: Callable[[list[Tensor], list[Tensor]], list[Tensor]]) -> Gradient:
    """The gradient at the point to which `uphill(weights, their gradients)` leads; the outcome is that of the weights themselves."""
    parameters = run.trainable()

    @torch.no_grad()
    def climb() -> None:
        touched = [p.detach() for p in parameters if p.grad is not None]
        grads = [p.grad for p in parameters if p.grad is not None]
        if grads:
            torch._foreach_add_(touched, uphill(touched, grads))

    def sharp(objective: Objective, batches: Sequence[Batch]) -> Outcome:
        here = gradient(objective, batches)
        kept = [p.detach().clone() for p in parameters]
        try:
            climb()
            there = gradient(objective, batches)
        finally:  # an interruption must not leave the weights uphill
            torch._foreach_copy_([p.detach() for p in parameters], kept)
        here.overflow = here.overflow + there.overflow
        return here

    return sharp
