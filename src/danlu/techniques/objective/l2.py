"""Half the sum of the squared weights in the loss (Hoerl & Kennard 1970, "Ridge regression").

When it helps: linear models and small nets with few rows. With SGD it is the optimiser's weight_decay, seen in the reported loss.
What it costs: a pass over the weights for each micro-batch.
When not to use it: with adaptive optimisers, which divide its gradient by their scales; take their decoupled weight decay there.
Scope: 2.7, 3.7
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from danlu.core import Objective, Run, Technique
from danlu.fields import NonNegative
from danlu.techniques.objective.elastic import penalised


@dataclass
class L2(Technique):
    """Add weight / 2 * sum w^2 over the matrices to the loss, once a step; norms, biases and embeddings are spared.

    weight: what half the sum is multiplied by
    中文: L2 正则（耦合式权重衰减）：在损失中加入权重平方和的一半。
    """

    weight: NonNegative = 1e-4

    neutral: ClassVar = {"weight": 0.0}

    def wrap_objective(self, objective: Objective, run: Run) -> Objective:
        return penalised(objective, run, l2=self.weight)
