"""Hypergradient descent: the rate follows its own gradient (Baydin et al. 2018, "Online learning rate adaptation")."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from danlu.fields import NonNegative, Positive, Rate
from danlu.optim.foreach import Foreach, Touched, adam, zeros
from danlu.optim.groups import Grouped
from danlu.optim.own_rate import OwnRate, dot, scalar


@dataclass(frozen=True)
class Hypergradient(Grouped, OwnRate):
    """Hypergradient descent: the rate rises while a step and the one before agree, and falls while they do not (Baydin et al. 2018).

    The rate it found is in the reports as `rate`; a schedule multiplies it. It never becomes negative.

    lr: learning rate to start with ｜ 初始学习率
    hyper_lr: learning rate of the learning rate; the paper has 1e-7 for adam and 1e-3 for sgd
        ｜ 学习率的学习率；论文对 adam 取 1e-7，对 sgd 取 1e-3
    inner: what takes the steps: adam or sgd ｜ 内层优化器：adam 或 sgd
    momentum: of sgd: how much of the last update is kept ｜ 用于 sgd：动量，上一步的更新保留多少
    beta1: of adam: decay of the running mean of the gradient ｜ 用于 adam：一阶矩的衰减系数
    beta2: of adam: decay of the running mean of its square ｜ 用于 adam：二阶矩的衰减系数
    eps: of adam: added to the root of the second moment ｜ 用于 adam：加在二阶矩平方根上的小量
    weight_decay: how much matrices shrink a step, as a multiple of the rate (decoupled)
        ｜ 权重衰减：每步把矩阵缩小“学习率 × 该系数”（解耦式）

    Formula: lr ← lr + hyper_lr · (g_t · u_{t−1}), u the last direction; then the step of adam or sgd
    When it helps: a rate that is roughly known and should adapt itself on the way.
    What it costs: one number of state more than the inner optimiser's for each parameter, and one dot product a step.
    When not to use it: when the rate is known and a schedule is fixed: it then only adds a knob.
    Failure signals: the rate it reports (`rate`) hits zero and stays, or oscillates: hyper_lr is too large.
    Interactions: a schedule multiplies what it finds; noise (`noise`, small batches, dropout) makes neighbouring gradients disagree, so the
    rate drifts down.

    Scope: 3.5

    中文: 超梯度下降：学习率沿自身的梯度在线调整。

    原理: 相邻两步方向一致时提高学习率，相反时降低：即对学习率本身做梯度下降。
    公式: lr ← lr + hyper_lr · (g_t · u_{t−1})，u 为上一步的方向；然后走 adam 或 sgd 的一步
    何时有用: 大致知道学习率、希望它途中自行调整的时候。
    代价: 每个参数比内层优化器多一个状态数，每步一次内积。
    何时不用: 学习率已知、调度已定的时候：它只多出一个旋钮。
    失效信号: 报告的 `rate` 归零后不再动，或来回振荡：hyper_lr 太大。
    相互作用: 调度与它找到的值相乘；噪声（`noise`、小批次、丢弃）使相邻梯度不一致，学习率会越走越低。
    """

    lr: Positive = 1e-3
    hyper_lr: NonNegative = 1e-7
    inner: Literal["adam", "sgd"] = "adam"
    momentum: Rate = 0.0
    beta1: Rate = 0.9
    beta2: Rate = 0.999
    eps: Positive = 1e-8
    weight_decay: NonNegative = 0.0

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        return HypergradientOptimizer(
            params, lr=self.lr, hyper_lr=self.hyper_lr, inner=self.inner, momentum=self.momentum, betas=(self.beta1, self.beta2),
            eps=self.eps, weight_decay=self.weight_decay,
        )  # fmt: skip


class HypergradientOptimizer(Foreach):
    """Algorithms 4 to 6 of Baydin et al. 2018: rate <- rate + hyper_lr * (gradient . last direction), then a step along the new direction.

    One rate for all groups, each at its own multiple of it. What was added is kept as a factor, so that a schedule counts.
    State: `direction`, and what the inner optimiser keeps, like the parameter. Each group holds the same 0-d tensor `gain`, the factor,
    and `start`, its rate at the start; nothing is read back from the device.
    """

    def __init__(self, params: Iterable[Any], **options: Any):
        super().__init__(params, **options)
        gain = scalar(1.0, self.param_groups[0]["params"])
        for group in self.param_groups:
            group |= {"gain": gain, "start": group["lr"]}

    def rate(self) -> Tensor:
        group = self.param_groups[0]
        return group["gain"] * group["lr"]

    def fresh(self, p: Tensor, grad: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        inner = {"exp_avg": zeros(p), "exp_avg_sq": zeros(p)} if group["inner"] == "adam" else {}
        return {"direction": zeros(p), **inner}

    def descend(self, parts: list[Touched]) -> None:
        first = self.param_groups[0]
        gain, start = first["gain"], first["start"]
        for touched in parts:
            share = touched.group["start"] / start
            gain = gain + first["hyper_lr"] / start * share * dot(touched.grads, touched.of("direction"))
        gain = gain.clamp(min=0.0)
        for group in self.param_groups:
            group["gain"] = gain
        for touched in parts:
            group, directions = touched.group, touched.of("direction")
            if group["inner"] == "adam":
                torch._foreach_copy_(directions, adam(touched, group["betas"], group["eps"]))
            else:
                torch._foreach_mul_(directions, group["momentum"])
                torch._foreach_add_(directions, touched.grads)
            own = gain * group["lr"]
            if group["weight_decay"]:
                torch._foreach_mul_(touched.params, 1 - own * group["weight_decay"])
            torch._foreach_sub_(touched.params, torch._foreach_mul(directions, own))
