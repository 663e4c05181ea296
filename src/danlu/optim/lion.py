"""Lion: the sign of an interpolated momentum as the update, found by symbolic search over programs (Chen et al. 2023)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from danlu.fields import NonNegative, Positive, Rate
from danlu.optim.foreach import Foreach, Touched, zeros
from danlu.optim.groups import Grouped


@dataclass(frozen=True)
class Lion(Grouped):
    """Lion: every parameter moves by the rate in the direction of the sign of its momentum; half of Adam's state (Chen et al. 2023).

    lr: learning rate; a third to a tenth of what AdamW takes
    beta1: share of the momentum, against the new gradient, in the update
    beta2: decay of the momentum
    weight_decay: how much matrices shrink a step, as a multiple of the rate (decoupled); three to ten times what AdamW takes

    Scope: 1.5, 3.1

    中文: Lion：只取动量的符号作为更新方向，状态量是 Adam 的一半；学习率应比 AdamW 小 3 到 10 倍。
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

    def fresh(self, p: Tensor, grad: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"exp_avg": zeros(p)}

    def move(self, touched: Touched) -> None:
        group, params, grads, _ = touched
        momenta = touched.of("exp_avg")
        if group["weight_decay"]:
            torch._foreach_mul_(params, 1 - group["lr"] * group["weight_decay"])
        updates = torch._foreach_lerp(momenta, grads, 1 - group["betas"][0])
        torch._foreach_sign_(updates)
        torch._foreach_add_(params, updates, alpha=-group["lr"])
        torch._foreach_lerp_(momenta, grads, 1 - group["betas"][1])
