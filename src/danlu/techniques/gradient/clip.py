"""Scale the gradient down when its norm is above a limit (Pascanu et al. 2013, "On the difficulty of training recurrent neural networks").

When it helps: recurrent nets, transformers, large rates, noisy small batches: one bad batch cannot throw the weights far.
What it costs: one norm over all gradients and one multiplication of them a step.
When not to use it: with a limit that cuts nearly every step it is a rate change in disguise; lower the rate instead.
Scope: 3.6, 5.8
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from danlu.core import Batch, Gradient, Objective, Outcome, Run, Technique
from danlu.fields import PositiveOrInfinite


@dataclass
class Clip(Technique):
    """Scale the gradient so that its global Euclidean norm is at most `max_norm`.

    max_norm: the largest norm that passes unchanged; .inf never clips
    中文: 按全局范数裁剪梯度，使其不超过 max_norm。
    """

    max_norm: PositiveOrInfinite = 1.0

    neutral: ClassVar = {"max_norm": math.inf}
    needs: ClassVar = frozenset({"finished gradient"})
    changes: ClassVar = "gradients"

    def wrap_gradient(self, gradient: Gradient, run: Run) -> Gradient:
        if math.isinf(self.max_norm):
            return gradient
        parameters = run.trainable()

        def clipped(objective: Objective, batches: Sequence[Batch]) -> Outcome:
            outcome = gradient(objective, batches)
            grads = [p.grad for p in parameters if p.grad is not None]
            if not grads:
                return outcome
            factor = (self.max_norm / run.placement.norm(grads)).clamp(max=1.0)  # a norm of zero gives inf, clamped to one
            torch._foreach_mul_(grads, factor)
            return outcome

        return clipped

    @classmethod
    def example(cls) -> Clip:
        return cls(max_norm=0.01)
