"""Gaussian noise in the gradient that fades (Neelakantan et al. 2015, "Adding gradient noise improves learning for very deep networks").

Formula: g ← g + N(0, eta / (1 + step)^gamma)
When it helps: very deep or poorly initialised nets that stop in bad places early on; small data.
What it costs: one random number for each parameter a step.
When not to use it: with small batches, whose gradients are noisy enough.
Failure signals: the loss is noisy from the first step and does not settle until late: eta is large beside the gradient.
Interactions: Adam divides by the root of the second moment, the noise's included, so the same eta is stronger where gradients are small;
inside `clip` the noise is clipped too.

原理: 给梯度加方差随步数减小的高斯噪声；早期大，后期几乎没有。
何时有用: 很深或初始化不佳、一开始就停在坏地方的网络；小数据。
代价: 每步为每个参数抽一个随机数。
何时不用: 小批次：其梯度本来就够吵了。
失效信号: 从第一步起损失就抖动，很晚才稳定：eta 相对于梯度太大。
相互作用: Adam 会除以二阶矩（含噪声）的平方根，梯度小的地方同样的 eta 作用更强；列在 `clip` 之后，噪声也一并被裁剪。

Scope: 3.1
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from danlu.core import Batch, Gradient, Objective, Outcome, Run, Technique
from danlu.fields import NonNegative
from danlu.keys import mix


@dataclass
class Noise(Technique):
    """Add noise of variance eta / (1 + step)^gamma to every number of the gradient.

    eta: variance at the first step; the paper tries 0.01, 0.3 and 1 ｜ 第一步的方差；论文试过 0.01、0.3 和 1
    gamma: how fast it fades ｜ 噪声衰减的快慢
    中文: 给梯度加方差逐步减小的高斯噪声。
    """

    eta: NonNegative = 0.01
    gamma: NonNegative = 0.55

    neutral: ClassVar = {"eta": 0.0}
    needs: ClassVar = frozenset({"finished gradient"})
    changes: ClassVar = "gradients"

    def wrap_gradient(self, gradient: Gradient, run: Run) -> Gradient:
        if self.eta == 0.0:
            return gradient
        parameters = run.trainable()
        draw = torch.Generator(run.placement.device)

        def noisy(objective: Objective, batches: Sequence[Batch]) -> Outcome:
            outcome = gradient(objective, batches)
            step = batches[0].step
            draw.manual_seed(mix(run.seed, "gradient noise", step))  # so that a second look in a step sees the same noise
            std = (self.eta / (1 + step) ** self.gamma) ** 0.5
            for p in parameters:
                noise = torch.randn(
                    p.shape, generator=draw, device=p.device, dtype=p.dtype
                )  # also without a gradient: draws keep their place
                if p.grad is not None:
                    p.grad.add_(run.placement.share(noise, like=p.grad), alpha=std)
            return outcome

        return noisy
