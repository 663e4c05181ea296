"""The elastic net: the sum of the weights' magnitudes and of their squares in the loss (Zou & Hastie 2005, "Regularization and variable
selection via the elastic net").

When it helps: linear models and small nets with many useless inputs: the first part makes weights small enough to prune, the second keeps
groups of alike inputs together.
What it costs: a pass over the weights for each micro-batch.
When not to use it: with adaptive optimisers, which divide the penalty's gradient by their scales; take their decoupled weight decay there.
Scope: 2.7
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from danlu.core import Batch, Loss, Objective, Run, Technique
from danlu.fields import NonNegative
from danlu.optim.groups import decaying


@dataclass
class Elastic(Technique):
    """Add l1 * sum |w| + l2 / 2 * sum w^2 over the matrices to the loss, once a step; norms, biases and embeddings are spared.

    l1: weight of the magnitudes
    l2: weight of half the squares
    中文: 弹性网：在损失中加入权重绝对值之和与平方和。
    """

    l1: NonNegative = 1e-4
    l2: NonNegative = 1e-4

    neutral: ClassVar = {"l1": 0.0, "l2": 0.0}

    def wrap_objective(self, objective: Objective, run: Run) -> Objective:
        return penalised(objective, run, l1=self.l1, l2=self.l2)


def penalised(objective: Objective, run: Run, **weights: float) -> Objective:
    """The objective with the terms "l1" and "l2", each over the count `once`, so that micro-batches and processes do not multiply them."""
    kinds = {name: weight for name, weight in weights.items() if weight}
    if not kinds:
        return objective
    matrices: list[Tensor] = [*decaying(run.model)]

    def size(name: str) -> Tensor:
        norms = torch.stack(torch._foreach_norm(matrices, 1 if name == "l1" else 2))
        return norms.sum() if name == "l1" else norms.square().sum() / 2

    def regularised(model: nn.Module, batch: Batch) -> Loss:
        loss = objective(model, batch)
        return Loss({**loss.terms, **{name: (weight * size(name), "once") for name, weight in kinds.items()}}) if matrices else loss

    return regularised
