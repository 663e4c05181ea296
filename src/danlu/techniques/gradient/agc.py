"""Adaptive gradient clipping: no unit's gradient may be long beside its weights (Brock et al. 2021, "High-performance large-scale image
recognition without normalization").

When it helps: nets without normalisation, at large rates and batches; the limit needs no tuning as the weights grow.
What it costs: two norms for each row of each weight and one multiplication a step.
When not to use it: after layers that start at zero; their limit is `eps` until they have grown.
Scope: 3.6
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from danlu.core import Batch, Gradient, Objective, Outcome, Run, Technique
from danlu.fields import Positive, PositiveOrInfinite
from danlu.optim.groups import output_layer


@dataclass
class AGC(Technique):
    """Scale each unit's gradient so that its norm is at most `limit` times the norm of the unit's weights.

    A unit is a row of a matrix, an output channel of a kernel, and the whole of a vector.

    limit: largest ratio of the two norms that passes unchanged; .inf never clips
    eps: least norm that a unit's weights are taken to have
    output: clip the output layer too; the paper leaves it out
    中文: 自适应梯度裁剪：按每个单元权重的范数限制其梯度的范数。
    """

    limit: PositiveOrInfinite = 0.01
    eps: Positive = 1e-3
    output: bool = False

    neutral: ClassVar = {"limit": math.inf}
    needs: ClassVar = frozenset({"finished gradient", "whole matrix"})
    changes: ClassVar = "gradients"

    def wrap_gradient(self, gradient: Gradient, run: Run) -> Gradient:
        if math.isinf(self.limit):
            return gradient
        spared = set() if self.output else output_layer(run.model)
        parameters = [p for p in run.trainable() if p not in spared]

        def clipped(objective: Objective, batches: Sequence[Batch]) -> Outcome:
            outcome = gradient(objective, batches)
            with torch.no_grad():
                for p in parameters:
                    if p.grad is not None:
                        allowed = unit_norms(p).clamp(min=self.eps) * self.limit
                        p.grad.mul_((allowed / unit_norms(p.grad)).clamp(max=1.0))  # a norm of zero gives inf, clamped to one
            return outcome

        return clipped


def unit_norms(x: Tensor) -> Tensor:
    """The norm of each row of x [rows, ...] as [rows, 1, ...]; of a vector or scalar, the norm of the whole."""
    return torch.linalg.vector_norm(x, dim=tuple(range(1, x.ndim)), keepdim=True) if x.ndim > 1 else torch.linalg.vector_norm(x)
