"""Take the mean out of each unit's gradient (Yong et al. 2020, "Gradient centralization: a new optimization technique for deep networks").

When it helps: convolutional nets, a little faster and smoother training; it keeps the mean of each unit's weights where it started.
What it costs: one mean and one subtraction for each weight a step.
When not to use it: for embeddings and for layers whose inputs have a mean that they must learn to use without a norm in front.
Scope: 3.1
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from danlu.core import Batch, Gradient, Objective, Outcome, Run, Technique
from danlu.optim.groups import EMBEDDINGS, owned


@dataclass
class Centralize(Technique):
    """Subtract from the gradient of each row of a matrix, or output channel of a kernel, its mean; embeddings are left as they are.

    kernels_only: leave the matrices of linear layers as they are, too
    中文: 梯度中心化：把每个单元的梯度减去其均值。
    """

    kernels_only: bool = False

    neutral: ClassVar = "it has no strength to turn down: either the mean is taken out or it is not"
    needs: ClassVar = frozenset({"finished gradient", "whole matrix"})
    changes: ClassVar = "gradients"

    def wrap_gradient(self, gradient: Gradient, run: Run) -> Gradient:
        embeddings = owned(run.model, EMBEDDINGS)
        parameters = [p for p in run.trainable() if p.ndim > (2 if self.kernels_only else 1) and p not in embeddings]

        def centred(objective: Objective, batches: Sequence[Batch]) -> Outcome:
            outcome = gradient(objective, batches)
            grads = [p.grad for p in parameters if p.grad is not None]
            if grads:
                torch._foreach_sub_(grads, [grad.mean(dim=tuple(range(1, grad.ndim)), keepdim=True) for grad in grads])
            return outcome

        return centred
