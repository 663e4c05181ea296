"""Prodigy: AdamW that finds its own rate from how far the weights have come (Mishchenko & Defazio 2024, "Prodigy: an expeditiously
adaptive parameter-free learner").
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
class Prodigy(Grouped, OwnRate):
    """Prodigy: AdamW whose rate is an estimate of the distance to the solution (Mishchenko & Defazio 2024).

    The rate it found is in the reports as `rate`. It goes well with a cosine schedule; with a warm-up set safeguard=true.

    lr: what the estimate is multiplied by; leave it at 1 ｜ 乘在估计值上的系数；保持 1 即可
    beta1: decay of the running mean of the gradient ｜ 一阶矩（梯度滑动平均）的衰减系数
    beta2: decay of the running mean of its square; its root decays the estimate's sums
        ｜ 二阶矩（梯度平方滑动平均）的衰减系数；其平方根用于衰减估计所用的各个累加和
    eps: added to the root of the second moment, as a multiple of the estimate ｜ 加在二阶矩平方根上的小量，以估计值的倍数计
    weight_decay: how much matrices shrink a step, as a multiple of the rate (decoupled)
        ｜ 权重衰减：每步把矩阵缩小“学习率 × 该系数”（解耦式）
    start: the first estimate; too small costs a few steps, too large cannot be undone ｜ 估计的初值；太小只多花几步，太大则无法挽回
    share: what the estimate is multiplied by, if the rate should be smaller or larger than found
        ｜ 估计值的缩放系数，用于让学习率比找到的更小或更大
    growth: largest ratio of two estimates that follow one another ｜ 相邻两步估计值之比的上限
    bias_correction: correct Adam's moments for their start ｜ 对 Adam 的两个矩做偏差修正
    safeguard: keep a warm-up from making the estimate too large ｜ 防止预热使估计值过大

    Formula: w ← w − d · m / (√v + d · eps);  d ← max(d, share · Σ d² (g · (w₀ − w)) / |s|₁), an estimate of the distance |w₀ − w*|
    When it helps: when nobody can tune a rate; finds it faster than D-Adaptation.
    What it costs: four numbers of state for each parameter and a dot product a step.
    When not to use it: when memory counts, and in trainings of a few dozen steps.
    Failure signals: the rate it reports (`rate`) grows without end and the loss rises: lower `share`, or set `growth`; it never grows: the
    steps are too few.
    Interactions: goes well with `cosine`; with a warm-up set safeguard=true; `clip` and `ema` are safe beside it, other techniques that
    rescale gradients blur its estimate.

    Scope: 3.5

    中文: Prodigy：根据权重走过的距离自行估计学习率的 AdamW，无需调学习率。

    原理: 根据权重走过的距离估计“到解的距离”，并以它为 AdamW 的学习率。
    公式: w ← w − d · m / (√v + d · eps)；d ← max(d, share · Σ d² (g · (w₀ − w)) / |s|₁)，即距离 |w₀ − w*| 的估计
    何时有用: 没人能调学习率的时候；比 D-Adaptation 找得快。
    代价: 每个参数四个状态数，每步一次内积。
    何时不用: 内存紧张，或只有几十步的训练。
    失效信号: 报告的 `rate` 无限增长而损失上升：降低 `share` 或设 `growth`；从不增长：步数太少。
    相互作用: 适合与 `cosine` 同用；有预热时设 safeguard=true；`clip` 与 `ema` 可放心同用，其他缩放梯度的技巧会干扰估计。
    """

    lr: Positive = 1.0
    beta1: Rate = 0.9
    beta2: Rate = 0.999
    eps: Positive = 1e-8
    weight_decay: NonNegative = 0.0
    start: Positive = 1e-6
    share: Positive = 1.0
    growth: Growth = inf
    bias_correction: bool = False
    safeguard: bool = False

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        return ProdigyOptimizer(
            params, lr=self.lr, betas=(self.beta1, self.beta2), eps=self.eps, weight_decay=self.weight_decay, start=self.start,
            share=self.share, growth=self.growth, bias_correction=self.bias_correction, safeguard=self.safeguard, moves=0,
        )  # fmt: skip


class ProdigyOptimizer(Foreach):
    """Algorithm 4 of Mishchenko & Defazio 2024. Where groups have rates of their own, the estimate is made with the largest of them.

    State: `exp_avg`, `exp_avg_sq`, `gradients` (their weighted sum) and `origin` (where it started), like the parameter. Each group holds
    the same three 0-d tensors: the estimate `d`, the largest one yet, and its numerator; nothing is read back from the device.
    """

    def __init__(self, params: Iterable[Any], **options: Any):
        super().__init__(params, **options)
        first = self.param_groups[0]
        d = scalar(first["start"], first["params"])
        for group in self.param_groups:
            group |= {"d": d, "largest": d.clone(), "numerator": torch.zeros_like(d)}

    def rate(self) -> Tensor:
        group = self.param_groups[0]
        return group["d"] * group["lr"]

    def fresh(self, p: Tensor, grad: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"exp_avg": zeros(p), "exp_avg_sq": zeros(p), "gradients": zeros(p), "origin": p.detach().clone()}

    def descend(self, parts: list[Touched]) -> None:
        if not parts:
            return
        first = self.param_groups[0]
        (beta1, beta2), d = first["betas"], first["d"]
        moves = first["moves"] + 1
        correction = sqrt(1 - beta2**moves) / (1 - beta1**moves) if first["bias_correction"] else 1.0
        rate = max(group["lr"] for group in self.param_groups) * correction
        numerator, denominator = sqrt(beta2) * first["numerator"], torch.zeros_like(d)
        for touched in parts:
            if touched.group["lr"] == 0.0:
                continue
            grads = touched.grads
            weight = d / first["start"] * d
            numerator = numerator + weight * rate * dot(grads, torch._foreach_sub(touched.of("origin"), touched.params))
            means, squares, sums = touched.of("exp_avg"), touched.of("exp_avg_sq"), touched.of("gradients")
            torch._foreach_mul_(means, beta1)
            torch._foreach_add_(means, torch._foreach_mul(grads, d * (1 - beta1)))
            torch._foreach_mul_(squares, beta2)
            torch._foreach_addcmul_(squares, torch._foreach_mul(grads, d * (1 - beta2)), torch._foreach_mul(grads, d))
            torch._foreach_mul_(sums, sqrt(beta2))
            torch._foreach_add_(sums, torch._foreach_mul(grads, weight if first["safeguard"] else weight * rate))
            denominator = denominator + length(sums)
        found = torch.where(denominator > 0, first["share"] * numerator / denominator, d) if rate > 0 else d
        grown = torch.where(d == first["start"], torch.maximum(d, found), d)
        largest = torch.maximum(first["largest"], found)
        after = torch.minimum(largest, grown * first["growth"])
        for group in self.param_groups:
            group |= {"d": after, "largest": largest, "numerator": numerator, "moves": moves}
        for touched in parts:
            group = touched.group
            scales = torch._foreach_sqrt(touched.of("exp_avg_sq"))
            torch._foreach_add_(scales, after * group["eps"])
            own = d * (group["lr"] * correction)
            if group["weight_decay"]:
                torch._foreach_mul_(touched.params, 1 - own * group["weight_decay"])
            torch._foreach_sub_(touched.params, torch._foreach_mul(torch._foreach_div(touched.of("exp_avg"), scales), own))
