"""The sum of the weights' magnitudes in the loss (Tibshirani 1996, "Regression shrinkage and selection via the lasso").

When it helps: to make many weights nearly zero, for pruning or to see which inputs count.
What it costs: a pass over the weights for each micro-batch.
When not to use it: with adaptive optimisers, which divide its gradient by their scales. Weights come near zero, not to it.
Scope: 2.7
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from danlu.core import Objective, Run, Technique
from danlu.fields import NonNegative
from danlu.techniques.objective.elastic import penalised


@dataclass
class L1(Technique):
    """Add weight * sum |w| over the matrices to the loss, once a step; norms, biases and embeddings are spared.

    weight: what the sum is multiplied by
    中文: L1 正则：在损失中加入权重绝对值之和。
    """

    weight: NonNegative = 1e-4

    neutral: ClassVar = {"weight": 0.0}

    def wrap_objective(self, objective: Objective, run: Run) -> Objective:
        return penalised(objective, run, l1=self.weight)
