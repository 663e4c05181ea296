"""Lion: the sign of an interpolated momentum as the update, found by symbolic search over programs (Chen et al. 2023)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from danlu.fields import NonNegative, Positive, Rate
from danlu.optim.foreach import Foreach, Touched, blocks, zeros
from danlu.optim.groups import Grouped


@dataclass(frozen=True)
class Lion(Grouped):
    """Lion: every parameter moves by the rate in the direction of the sign of its momentum; half of Adam's state (Chen et al. 2023).

    lr: learning rate; a third to a tenth of what AdamW takes ｜ 学习率；取 AdamW 的三分之一到十分之一
    beta1: share of the momentum, against the new gradient, in the update ｜ 更新方向中动量所占的份额，其余为新梯度
    beta2: decay of the momentum ｜ 动量的衰减系数
    weight_decay: how much matrices shrink a step, as a multiple of the rate (decoupled); three to ten times what AdamW takes
        ｜ 权重衰减：每步把矩阵缩小“学习率 × 该系数”（解耦式）；取 AdamW 的三到十倍

    Formula: w ← (1 − lr · weight_decay) · w − lr · sign(β₁ m + (1 − β₁) g);  m ← β₂ m + (1 − β₂) g
    When it helps: large batches and models where half of Adam's state counts.
    What it costs: one number of state for each parameter.
    When not to use it: small batches, whose signs are mostly noise; without a decaying schedule, since every step is as long as the first.
    Failure signals: the loss levels off at a height that depends on the rate: steps of one length cannot come nearer; all weights grow
    alike: decay is too weak.
    Interactions: sees signs only, so `clip` and loss scales matter through the momentum alone; take three to ten times AdamW's decay; a
    schedule to zero is part of it.

    Scope: 1.5, 3.1

    中文: Lion：只取动量的符号作为更新方向，状态量是 Adam 的一半；学习率应比 AdamW 小 3 到 10 倍。

    原理: 每个参数都朝动量的符号方向走同样长的一步，状态只有 Adam 的一半。
    何时有用: 大批次，以及 Adam 的状态减半就有意义的大模型。
    代价: 每个参数一个状态数。
    何时不用: 小批次：符号多半是噪声；没有下降调度时也不宜，因为每一步都和第一步一样长。
    失效信号: 损失停在与学习率有关的高度：等长的步无法再靠近；所有权重一起变大：衰减太弱。
    相互作用: 只看符号，`clip` 与损失缩放仅通过动量起作用；衰减取 AdamW 的三到十倍；降到零的调度是它的一部分。
    """

    width_rule: ClassVar = "adam"

    lr: Positive = 1e-4
    beta1: Rate = 0.9
    beta2: Rate = 0.99
    weight_decay: NonNegative = 0.1

    def __call__(self, params: Iterable[Any]) -> LionOptimizer:
        return LionOptimizer(params, lr=self.lr, betas=(self.beta1, self.beta2), weight_decay=self.weight_decay)


class LionOptimizer(Foreach):
    """Algorithm 2 of Chen et al. 2023. betas: (in the update, of the momentum). State: `exp_avg`, like its parameter."""

    reach = "number"

    def fresh(self, p: Tensor, grad: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"exp_avg": zeros(p)}

    def move(self, touched: Touched) -> None:
        group, rate = touched.group, touched.group["lr"]
        for params, grads, momenta in blocks(touched.params, touched.grads, touched.of("exp_avg")):
            if group["weight_decay"]:
                torch._foreach_mul_(params, 1 - rate * group["weight_decay"])
            updates = torch._foreach_lerp(momenta, grads, 1 - group["betas"][0])
            torch._foreach_sign_(updates)
            torch._foreach_add_(params, updates, alpha=-rate)
            torch._foreach_lerp_(momenta, grads, 1 - group["betas"][1])
