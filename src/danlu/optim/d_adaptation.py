"""D-Adaptation: Adam that finds its own rate from a lower bound of the distance to the solution (Defazio & Mishchenko 2023,
"Learning-rate-free learning by D-Adaptation").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf, sqrt
from typing import Annotated, Any

import torch
from torch import Tensor

from danlu.fields import NonNegative, Positive, Range, Rate
from danlu.optim.foreach import Foreach, Touched, zeros
from danlu.optim.groups import Grouped
from danlu.optim.own_rate import OwnRate, dot, length, scalar

Growth = Annotated[float, Range(1, open_low=True)]


@dataclass(frozen=True)
class DAdaptation(Grouped, OwnRate):
    """D-Adaptation: Adam whose rate is a lower bound of the distance to the solution (Defazio & Mishchenko 2023).

    The rate it found is in the reports as `rate`.

    lr: what the bound is multiplied by; leave it at 1 ｜ 乘在下界上的系数；保持 1 即可
    beta1: decay of the running mean of the gradient ｜ 一阶矩（梯度滑动平均）的衰减系数
    beta2: decay of the running mean of its square; its root decays the bound's sums
        ｜ 二阶矩（梯度平方滑动平均）的衰减系数；其平方根用于衰减估计下界的各个累加和
    eps: added to the root of the second moment ｜ 加在二阶矩平方根上的小量
    weight_decay: how much matrices shrink a step, as a multiple of the rate (decoupled)
        ｜ 权重衰减：每步把矩阵缩小“学习率 × 该系数”（解耦式）
    start: the first bound; too small costs a few steps, too large cannot be undone ｜ 下界的初值；太小只多花几步，太大则无法挽回
    growth: largest ratio of two bounds that follow one another; 1.02 is a warm-up of its own ｜ 相邻两步下界之比的上限；1.02 相当于自带预热
    bias_correction: correct Adam's moments for their start ｜ 对 Adam 的两个矩做偏差修正

    Formula: w ← w − d · m / (√v + eps);  d ← max(d, Σ λ (g · s) / ((1 − √β₂) |s|)), a lower bound of the distance to the solution
    When it helps: when nobody can tune a rate: it finds one while training.
    What it costs: three numbers of state for each parameter and two dot products a step.
    When not to use it: short trainings, which end before d has grown; when a good rate is known, AdamW with it is as good.
    Failure signals: the rate it reports (`rate`) never leaves its start, or jumps once and the loss with it: `start` was too large, or
    growth should be bounded.
    Interactions: a schedule multiplies what it finds, so decay works and a warm-up slows its search; techniques that scale the gradient
    (`clip`) make the bound smaller.

    Scope: 3.5

    中文: D-Adaptation：由到解的距离下界自行确定学习率的 Adam，无需调学习率。

    原理: 用“到解的距离”的下界作为 Adam 的学习率，下界在训练中只升不降。
    公式: w ← w − d · m / (√v + eps)；d ← max(d, Σ λ (g · s) / ((1 − √β₂) |s|))，即到解的距离的下界
    何时有用: 没人能调学习率的时候：它边训练边找。
    代价: 每个参数三个状态数，每步两次内积。
    何时不用: 短训练：d 还没长大就结束了；已知好学习率时，AdamW 一样好。
    失效信号: 报告里的 `rate` 一直停在起点，或突然一跳、损失跟着跳：`start` 太大，或应限制 growth。
    相互作用: 调度与它找到的值相乘：衰减有效，预热会拖慢寻找；缩放梯度的技巧（`clip`）会使下界变小。
    """

    name = "d_adaptation"

    lr: Positive = 1.0
    beta1: Rate = 0.9
    beta2: Rate = 0.999
    eps: Positive = 1e-8
    weight_decay: NonNegative = 0.0
    start: Positive = 1e-6
    growth: Growth = inf
    bias_correction: bool = False

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        return DAdaptationOptimizer(
            params, lr=self.lr, betas=(self.beta1, self.beta2), eps=self.eps, weight_decay=self.weight_decay, start=self.start,
            growth=self.growth, bias_correction=self.bias_correction, moves=0,
        )  # fmt: skip


class DAdaptationOptimizer(Foreach):
    """Algorithm 5 of Defazio & Mishchenko 2023 (its Adam). Where groups have rates of their own, the bound is made with the largest
    of them, and each weighs as its rate.

    State: `exp_avg`, `exp_avg_sq` and `gradients` (their weighted sum), like the parameter. Each group holds the same two 0-d tensors: the
    bound `d` and its numerator; nothing is read back from the device.
    """

    def __init__(self, params: Iterable[Any], **options: Any):
        super().__init__(params, **options)
        first = self.param_groups[0]
        d = scalar(first["start"], first["params"])
        for group in self.param_groups:
            group |= {"d": d, "numerator": torch.zeros_like(d)}

    def rate(self) -> Tensor:
        group = self.param_groups[0]
        return group["d"] * group["lr"]

    def fresh(self, p: Tensor, grad: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"exp_avg": zeros(p), "exp_avg_sq": zeros(p), "gradients": zeros(p)}

    def descend(self, parts: list[Touched]) -> None:
        if not parts:
            return
        first = self.param_groups[0]
        (beta1, beta2), d = first["betas"], first["d"]
        root = sqrt(beta2)
        moves = first["moves"] + 1
        correction = sqrt(1 - beta2**moves) / (1 - beta1**moves) if first["bias_correction"] else 1.0
        largest = max(group["lr"] for group in self.param_groups)
        rate = d * (largest * correction)
        gained, total = torch.zeros_like(d), torch.zeros_like(d)
        for touched in parts:
            if touched.group["lr"] == 0.0:
                continue
            share, grads = touched.group["lr"] / largest, touched.grads
            means, squares, sums = touched.of("exp_avg"), touched.of("exp_avg_sq"), touched.of("gradients")
            scales = torch._foreach_sqrt(squares)
            torch._foreach_add_(scales, touched.group["eps"])
            gained = gained + share * rate * dot(grads, list(torch._foreach_div(sums, scales)))
            torch._foreach_mul_(means, beta1)
            torch._foreach_add_(means, torch._foreach_mul(grads, share * rate * (1 - beta1)))
            torch._foreach_mul_(squares, beta2)
            torch._foreach_addcmul_(squares, grads, grads, 1 - beta2)
            torch._foreach_mul_(sums, root)
            torch._foreach_add_(sums, torch._foreach_mul(grads, rate * (1 - root)))
            total = total + share * length(sums)
        numerator = root * first["numerator"] + (1 - root) * gained
        found = torch.where(total > 0, numerator / ((1 - root) * total), d) if largest > 0 else d
        after = torch.maximum(d, torch.minimum(found, d * first["growth"]))
        for group in self.param_groups:
            group |= {"d": after, "numerator": numerator, "moves": moves}
        for touched in parts:
            group = touched.group
            scales = torch._foreach_sqrt(touched.of("exp_avg_sq"))
            torch._foreach_add_(scales, group["eps"])
            if group["weight_decay"]:
                torch._foreach_mul_(touched.params, 1 - d * (group["lr"] * correction * group["weight_decay"]))
            torch._foreach_sub_(touched.params, torch._foreach_div(touched.of("exp_avg"), scales))
