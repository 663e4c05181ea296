"""Limit every number of the gradient to a range (Mikolov 2012, "Statistical language models based on neural networks", section 3.2.2).

When it helps: recurrent nets and losses whose gradient has single huge entries; it bounds each of them without shrinking the others.
What it costs: one fused clamp over all gradients a step.
When not to use it: where the direction matters; clipping by value bends it, clipping by norm (`clip`) does not.
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
class ClipValue(Technique):
    """Clamp every number of the gradient to [-limit, limit].

    limit: the largest magnitude that passes unchanged; .inf never clips
    中文: 逐元素裁剪梯度，使每个分量不超过 limit。
    """

    limit: PositiveOrInfinite = 1.0

    neutral: ClassVar = {"limit": math.inf}
    needs: ClassVar = frozenset({"finished gradient"})
    changes: ClassVar = "gradients"

    def wrap_gradient(self, gradient: Gradient, run: Run) -> Gradient:
        if math.isinf(self.limit):
            return gradient
        parameters = run.trainable()

        def clamped(objective: Objective, batches: Sequence[Batch]) -> Outcome:
            outcome = gradient(objective, batches)
            grads = [p.grad for p in parameters if p.grad is not None]
            if grads:
                torch._foreach_clamp_min_(grads, -self.limit)
                torch._foreach_clamp_max_(grads, self.limit)
            return outcome

        return clamped

    @classmethod
    def example(cls) -> ClipValue:
        return cls(limit=1e-3)
