"""LAMB: Adam's direction, as long as the layer's weights (You et al. 2020, "Large batch optimization for deep learning")."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from danlu.fields import NonNegative, Positive, Rate
from danlu.optim.foreach import Foreach, Touched, adam, zeros
from danlu.optim.groups import Grouped


@dataclass(frozen=True)
class LAMB(Grouped):
    """LAMB: each tensor moves by the rate times its own norm, in Adam's direction; for very large batches (You et al. 2020).

    lr: learning rate, relative to the norm of each tensor ｜ 学习率，相对于每个张量的范数
    beta1: decay of the running mean of the gradient ｜ 一阶矩（梯度滑动平均）的衰减系数
    beta2: decay of the running mean of its square ｜ 二阶矩（梯度平方滑动平均）的衰减系数
    eps: added to the root of the second moment ｜ 加在二阶矩平方根上的小量
    weight_decay: decay of matrices, added to the direction before its length is set ｜ 矩阵的权重衰减，在确定步长之前加到方向上

    Formula: u = m̂ / (√v̂ + eps) + weight_decay · w;  w ← w − lr · |w| / |u| · u for each tensor
    When it helps: very large batches, at which Adam's rate would have to be so high that some layers diverge.
    What it costs: two numbers of state for each parameter, two norms for each tensor.
    When not to use it: ordinary batches: the relative step is then only another rate to tune.
    Failure signals: tensors that start at zero move by the plain rate at first; layers whose norm grows and grows say that the decay is too
    weak for relative steps.
    Interactions: the length of the gradient cancels, so `clip` acts on m and v only; wants a warm-up; `weight_decay` apart from its own
    would change the norm it measures.

    Scope: 3.1

    中文: LAMB：方向同 Adam，步长与该层权重的范数成正比，适合超大批次。

    原理: 方向同 Adam，长度取“学习率 × 该张量的范数”，各层按自己的大小移动。
    公式: 对每个张量：u = m̂ / (√v̂ + eps) + weight_decay · w；w ← w − lr · |w| / |u| · u
    何时有用: 超大批次：Adam 的学习率要高到某些层会发散的时候。
    代价: 每个参数两个状态数，每个张量两次范数。
    何时不用: 普通批次：相对步长只是另一个要调的学习率。
    失效信号: 初始为零的张量起初按普通学习率移动；某层范数一直变大，说明衰减对相对步长来说太弱。
    相互作用: 梯度的长度会消掉，`clip` 只影响 m 与 v；应配预热；另加 `weight_decay` 会改变它所测的范数。
    """

    lr: Positive = 5e-3
    beta1: Rate = 0.9
    beta2: Rate = 0.999
    eps: Positive = 1e-6
    weight_decay: NonNegative = 0.01

    def __call__(self, params: Iterable[Any]) -> LAMBOptimizer:
        return LAMBOptimizer(params, lr=self.lr, betas=(self.beta1, self.beta2), eps=self.eps, weight_decay=self.weight_decay)


class LAMBOptimizer(Foreach):
    """Algorithm 2 of You et al. 2020, without a bound on the weights' norm. A tensor or a direction of norm zero has the ratio 1.

    State: `exp_avg` and `exp_avg_sq`, like the parameter.
    """

    reach = "tensor"

    def fresh(self, p: Tensor, grad: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"exp_avg": zeros(p), "exp_avg_sq": zeros(p)}

    def move(self, touched: Touched) -> None:
        group, params = touched.group, touched.params
        updates = adam(touched, group["betas"], group["eps"])
        if group["weight_decay"]:
            torch._foreach_add_(updates, params, alpha=group["weight_decay"])
        weights, lengths = (torch.stack(torch._foreach_norm(tensors)) for tensors in (params, updates))
        ratios = torch.where((weights > 0) & (lengths > 0), weights / lengths, 1.0)
        torch._foreach_mul_(updates, list(ratios.unbind()))
        torch._foreach_add_(params, updates, alpha=-group["lr"])
