"""Half the sum of the squared weights in the loss (Hoerl & Kennard 1970, "Ridge regression").

Formula: L ← L + weight / 2 · Σw² over the matrices
When it helps: linear models and small nets with few rows. With SGD it is the optimiser's weight_decay, seen in the reported loss.
What it costs: a pass over the weights for each micro-batch.
When not to use it: with adaptive optimisers, which divide its gradient by their scales; take their decoupled weight decay there.
Failure signals: training and validation loss rise together: too strong; the gap between them stays as it was: too weak, or an adaptive
optimiser divides it away.
Interactions: with SGD the same as its weight_decay, so set one of them; beside `adamw`, `lion` or `muon` take their decoupled decay
instead.

原理: 在损失中加入权重平方和的一半，使权重按比例缩小（耦合式）。
公式: 对矩阵：L ← L + weight / 2 · Σw²
何时有用: 行数少的线性模型与小网络。用 SGD 时等同于优化器的 weight_decay，只是会体现在报告的损失里。
代价: 每个微批遍历一次权重。
何时不用: 自适应优化器会把它的梯度除以各自的尺度；请改用它们的解耦权重衰减。
失效信号: 训练与验证损失一起上升：太强；两者的差距毫无变化：太弱，或被自适应优化器除掉了。
相互作用: 用 SGD 时与其 weight_decay 是同一件事，只设其一；用 `adamw`、`lion`、`muon` 时改用它们的解耦衰减。

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

    weight: what half the sum is multiplied by ｜ 平方和的一半所乘的系数
    中文: L2 正则（耦合式权重衰减）：在损失中加入权重平方和的一半。
    """

    weight: NonNegative = 1e-4

    neutral: ClassVar = {"weight": 0.0}

    def wrap_objective(self, objective: Objective, run: Run) -> Objective:
        return penalised(objective, run, l2=self.weight)
