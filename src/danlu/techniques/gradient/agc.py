"""Adaptive gradient clipping: no unit's gradient may be long beside its weights (Brock et al. 2021, "High-performance large-scale image
recognition without normalization").

Formula: g_i ← g_i · min(1, limit · max(|w_i|, eps) / |g_i|) for each unit i
When it helps: nets without normalisation, at large rates and batches; the limit needs no tuning as the weights grow.
What it costs: two norms for each row of each weight and one multiplication a step.
When not to use it: after layers that start at zero; their limit is `eps` until they have grown.
Failure signals: the loss falls far more slowly than without it: the limit cuts nearly every unit, those that started near zero above all.
Interactions: inside `clip` (after it in the list) it goes first and `clip` bounds what is left; weight decay shrinks the weights and with
them the limit.

原理: 每个单元（矩阵的一行、卷积核的一个输出通道）的梯度范数不得超过其权重范数的 limit 倍，超出的按比例缩小。
公式: 对每个单元 i：g_i ← g_i · min(1, limit · max(|w_i|, eps) / |g_i|)
何时有用: 没有归一化层、又用大学习率和大批次的网络；限制随权重一起变大，不必重新调。
代价: 每步为每个权重的每一行各算两次范数，再做一次乘法。
何时不用: 初始为零的层后面：在它长大之前，限制一直是 eps。
失效信号: 损失下降明显变慢：几乎每个单元都被裁剪，初始接近零的单元尤其如此。
相互作用: 列在 `clip` 之后时先作用，`clip` 再限制余下的部分；权重衰减使权重变小，限制也随之变紧。

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

    limit: largest ratio of the two norms that passes unchanged; .inf never clips ｜ 不裁剪的最大范数比；.inf 表示从不裁剪
    eps: least norm that a unit's weights are taken to have ｜ 单元权重范数的下限
    output: clip the output layer too; the paper leaves it out ｜ 输出层也裁剪；论文不裁剪输出层
    中文: 自适应梯度裁剪：按每个单元权重的范数限制其梯度的范数。
    """

    limit: PositiveOrInfinite = 0.01
    eps: Positive = 1e-3
    output: bool = False

    neutral: ClassVar = {"limit": math.inf}
    needs: ClassVar = frozenset({"finished gradient"})
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
