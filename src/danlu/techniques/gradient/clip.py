"""Scale the gradient down when its norm is above a limit (Pascanu et al. 2013, "On the difficulty of training recurrent neural networks").

Formula: g ← g · min(1, max_norm / |g|), |g| over all parameters together
When it helps: recurrent nets, transformers, large rates, noisy small batches: one bad batch cannot throw the weights far.
What it costs: one norm over all gradients and one multiplication of them a step.
When not to use it: with a limit that cuts nearly every step it is a rate change in disguise; lower the rate instead.
Failure signals: the norm is at the limit in nearly every step: then it only lowers the rate; or the loss still jumps: then single entries
or a bad row are to blame.
Interactions: listed before another gradient technique it clips what that leaves, after it what that gets; Adam divides most of a constant
scaling out again, so what counts there is the rare large step.

原理: 梯度裁剪：若全部参数的梯度总范数超过上限，就整体按比例缩小，方向不变。
公式: g ← g · min(1, max_norm / |g|)，|g| 为全部参数合在一起的范数
何时有用: 循环网络、Transformer、大学习率、噪声大的小批次：一个坏批次不会把权重甩远。
代价: 每步对全部梯度算一次范数、做一次乘法。
何时不用: 上限几乎每步都生效时，它只是变相降低学习率；不如直接调低学习率。
失效信号: 几乎每一步的范数都贴着上限，那它只是在降低学习率；若损失仍然跳变，问题出在个别分量或坏样本上。
相互作用: 列在另一个梯度技巧之前，裁剪其结果；之后则裁剪其输入。Adam 会把恒定的缩放又除掉大半，所以在那里起作用的只是偶尔出现的大梯度。

Scope: 3.6, 5.8
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from danlu.core import Batch, Gradient, Objective, Outcome, Run, Technique
from danlu.fields import PositiveOrInfinite


@dataclass
class Clip(Technique):
    """Scale the gradient so that its global Euclidean norm is at most `max_norm`.

    max_norm: the largest norm that passes unchanged; .inf never clips ｜ 不裁剪的最大范数；.inf 表示从不裁剪
    中文: 按全局范数裁剪梯度，使其不超过 max_norm。
    """

    max_norm: PositiveOrInfinite = 1.0

    neutral: ClassVar = {"max_norm": math.inf}
    needs: ClassVar = frozenset({"finished gradient"})
    changes: ClassVar = "gradients"

    def wrap_gradient(self, gradient: Gradient, run: Run) -> Gradient:
        if math.isinf(self.max_norm):
            return gradient
        parameters = run.trainable()

        def clipped(objective: Objective, batches: Sequence[Batch]) -> Outcome:
            outcome = gradient(objective, batches)
            grads = [p.grad for p in parameters if p.grad is not None]
            if not grads:
                return outcome
            factor = (self.max_norm / run.placement.norm(grads)).clamp(max=1.0)  # a norm of zero gives inf, clamped to one
            torch._foreach_mul_(run.placement.local(grads), factor)
            return outcome

        return clipped

    @classmethod
    def example(cls) -> Clip:
        return cls(max_norm=0.01)
