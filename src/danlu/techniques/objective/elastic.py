"""The elastic net: the sum of the weights' magnitudes and of their squares in the loss (Zou & Hastie 2005, "Regularization and variable
selection via the elastic net").

Formula: L ← L + l1 · Σ|w| + l2 / 2 · Σw² over the matrices
When it helps: linear models and small nets with many useless inputs: the first part makes weights small enough to prune, the second keeps
groups of alike inputs together.
What it costs: a pass over the weights for each micro-batch.
When not to use it: with adaptive optimisers, which divide the penalty's gradient by their scales; take their decoupled weight decay there.
Failure signals: the reported loss rises while the data's own term still falls: the penalty has taken over; all weights go to zero: l1 is
too large.
Interactions: adds to an optimiser's own decay and to `weight_decay`, so set one of them; the penalty's gradient is part of what `clip` and
`sam` see.

原理: 在损失中加入权重绝对值之和与平方和，每步只加一次；归一化层、偏置与嵌入除外。
公式: 对矩阵：L ← L + l1 · Σ|w| + l2 / 2 · Σw²
何时有用: 输入很多、有用的很少的线性模型与小网络：前一项把权重压到可以剪掉，后一项让相似的输入留在一起。
代价: 每个微批遍历一次权重。
何时不用: 自适应优化器会把惩罚项的梯度除以各自的尺度；请改用它们的解耦权重衰减。
失效信号: 报告的损失上升，而数据本身的一项仍在下降：惩罚项已占上风；权重全部趋零：l1 太大。
相互作用: 会与优化器自带的衰减以及 `weight_decay` 叠加，只设其一；`clip` 与 `sam` 看到的梯度包含惩罚项。

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

    l1: weight of the magnitudes ｜ 绝对值之和所乘的系数
    l2: weight of half the squares ｜ 平方和的一半所乘的系数
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
        norms = torch.stack(torch._foreach_norm(run.placement.local(matrices), 1 if name == "l1" else 2))
        return run.placement.total(norms.sum() if name == "l1" else norms.square().sum() / 2)

    def regularised(model: nn.Module, batch: Batch) -> Loss:
        loss = objective(model, batch)
        return Loss({**loss.terms, **{name: (weight * size(name), "once") for name, weight in kinds.items()}}) if matrices else loss

    return regularised
