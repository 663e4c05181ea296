"""The sum of the weights' magnitudes in the loss (Tibshirani 1996, "Regression shrinkage and selection via the lasso").

Formula: L ← L + weight · Σ|w| over the matrices
When it helps: to make many weights nearly zero, for pruning or to see which inputs count.
What it costs: a pass over the weights for each micro-batch.
When not to use it: with adaptive optimisers, which divide its gradient by their scales. Weights come near zero, not to it.
Failure signals: the data's own term of the loss rises while the sum falls: too strong; weights hover around zero without a gap: nothing to
prune.
Interactions: adds to `l2`, `elastic` and any decay; Adam gives every weight about the same pull whatever its gradient; the penalty is part
of what `clip` and `sam` see.

原理: 在损失中加入权重绝对值之和，把许多权重推向零。
公式: 对矩阵：L ← L + weight · Σ|w|
何时有用: 想让许多权重接近零以便剪枝，或想看哪些输入真正起作用。
代价: 每个微批遍历一次权重。
何时不用: 自适应优化器会把它的梯度除以各自的尺度。权重只会接近零，不会到零。
失效信号: 总损失下降而数据项上升：太强；权重围着零抖动、没有分界：没什么可剪的。
相互作用: 与 `l2`、`elastic` 及各种衰减叠加；Adam 给每个权重的拉力大致相同，与梯度无关；`clip` 与 `sam` 看到的梯度包含惩罚项。

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

    weight: what the sum is multiplied by ｜ 绝对值之和所乘的系数
    中文: L1 正则：在损失中加入权重绝对值之和。
    """

    weight: NonNegative = 1e-4

    neutral: ClassVar = {"weight": 0.0}

    def wrap_objective(self, objective: Objective, run: Run) -> Objective:
        return penalised(objective, run, l1=self.weight)
