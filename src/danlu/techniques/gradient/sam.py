"""Sharpness-aware minimisation: take the gradient at the worst point nearby (Foret et al. 2021).

The weights climb by rho along the normalised gradient, the gradient there is kept, and the weights go back, bit for bit.

Formula: g ← ∇L(w + rho · g / |g|)
When it helps: generalisation of image models and fine-tuning, mostly with few data or noisy labels; seldom in large-scale pre-training.
What it costs: two gradients a step, so nearly twice the time, and one copy of the weights.
When not to use it: when the budget is time and the model underfits.
Failure signals: training loss stays clearly above that without it and validation gains nothing: rho is too large, or the model underfits
anyway.
Interactions: `clip` listed before it bounds the gradient that moves the weights, after it both; BatchNorm keeps the statistics of the first
look only; with `ema` beside it part of the gain is had twice.

原理: 先沿归一化的梯度上坡走 rho，用那里的梯度更新，权重则逐位回到原处：于是偏好平坦的极小值。
何时有用: 图像模型的泛化与微调，多在数据少或标签有噪声时；大规模预训练中少见。
代价: 每步算两次梯度，时间接近两倍；外加一份权重副本。
何时不用: 时间是瓶颈、模型又欠拟合的时候。
失效信号: 训练损失明显高于不用时，验证集却没有改善：rho 太大，或模型本来就欠拟合。
相互作用: `clip` 列在它前面只限制更新用的梯度，列在后面则两个都限制；批归一化只保留第一次前向的统计量；与 `ema` 同用，部分收益会重复。

Scope: 3.1
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from danlu.core import Batch, Gradient, Objective, Outcome, Run, Technique
from danlu.fields import NonNegative


@dataclass
class SAM(Technique):
    """Use the gradient found after a step of length `rho` uphill, over all micro-batches of the step.

    rho: distance climbed, in the Euclidean norm over all weights ｜ 上坡的距离，按全部权重的欧氏范数计
    中文: 锐度感知最小化：先沿梯度上坡走 rho，再用那里的梯度更新。
    """

    rho: NonNegative = 0.05

    neutral: ClassVar = {"rho": 0.0}
    needs: ClassVar = frozenset({"finished gradient"})
    changes: ClassVar = "gradients"

    def wrap_gradient(self, gradient: Gradient, run: Run) -> Gradient:
        def uphill(weights: list[nn.Parameter], grads: list[Tensor]) -> list[Tensor]:
            norm = run.placement.norm(grads)
            scale = torch.where(norm > 0, self.rho / norm, torch.zeros_like(norm))
            return list(torch._foreach_mul(run.placement.local(grads), scale))

        return gradient if self.rho == 0.0 else sharpened(gradient, run, uphill)


def sharpened(gradient: Gradient, run: Run, uphill: Callable[[list[nn.Parameter], list[Tensor]], list[Tensor]]) -> Gradient:
    """The gradient at the point to which `uphill(weights, their gradients)` leads; the outcome is that of the weights themselves.

    uphill: returns how far each goes, as much of it as this process holds.
    """
    parameters, local = run.trainable(), run.placement.local

    @torch.no_grad()
    def climb() -> None:
        touched = [p for p in parameters if p.grad is not None]
        grads = [p.grad for p in parameters if p.grad is not None]
        if grads:
            torch._foreach_add_(local(touched), uphill(touched, grads))

    def sharp(objective: Objective, batches: Sequence[Batch]) -> Outcome:
        here = gradient(objective, batches)
        kept = [p.clone() for p in local([p.detach() for p in parameters])]
        try:
            climb()
            there = gradient(objective, batches)
        finally:  # an interruption must not leave the weights uphill
            torch._foreach_copy_(local([p.detach() for p in parameters]), kept)
        here.overflow = here.overflow + there.overflow
        return here

    return sharp
