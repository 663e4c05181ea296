"""Limit every number of the gradient to a range (Mikolov 2012, "Statistical language models based on neural networks", section 3.2.2).

Formula: g_j ← min(max(g_j, −limit), limit) for each number j
When it helps: recurrent nets and losses whose gradient has single huge entries; it bounds each of them without shrinking the others.
What it costs: one fused clamp over all gradients a step.
When not to use it: where the direction matters; clipping by value bends it, clipping by norm (`clip`) does not.
Failure signals: many entries sit at the limit, so that all of them count the same: training behaves like a sign method and stalls near its
end.
Interactions: beside `clip` list it second: single entries are cut first and the norm afterwards; sign methods (`lion`) ignore it but for
the momentum.

原理: 把梯度的每个分量限制在 ±limit 之内，其余分量不变，因此方向会改变。
公式: 对每个分量 j：g_j ← min(max(g_j, −limit), limit)
何时有用: 循环网络，以及梯度里会出现个别巨大分量的损失：逐个限制，而不缩小其他分量。
代价: 每步对全部梯度做一次融合的截断。
何时不用: 方向重要的时候：按值裁剪会使方向偏转，按范数裁剪（`clip`）不会。
失效信号: 许多分量都停在上限，彼此不再有大小之分：训练像符号法一样，临近结束时停滞。
相互作用: 与 `clip` 同用时把它列在后面：先裁剪个别分量，再裁剪范数；对只看符号的方法（`lion`）除动量外没有作用。

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
class ClipValue(Technique):
    """Clamp every number of the gradient to [-limit, limit].

    limit: the largest magnitude that passes unchanged; .inf never clips ｜ 不裁剪的最大绝对值；.inf 表示从不裁剪
    中文: 逐元素裁剪梯度，使每个分量不超过 limit。
    """

    limit: PositiveOrInfinite = 1.0

    neutral: ClassVar = {"limit": math.inf}
    needs: ClassVar = frozenset({"finished gradient"})
    changes: ClassVar = "gradients"

    def wrap_gradient(self, gradient: Gradient, run: Run) -> Gradient:
        if math.isinf(self.limit):
            return gradient
        parameters = run.trainable()

        def clamped(objective: Objective, batches: Sequence[Batch]) -> Outcome:
            outcome = gradient(objective, batches)
            own = run.placement.local([p.grad for p in parameters if p.grad is not None])
            if own:
                torch._foreach_clamp_min_(own, -self.limit)
                torch._foreach_clamp_max_(own, self.limit)
            return outcome

        return clamped

    @classmethod
    def example(cls) -> ClipValue:
        return cls(limit=1e-3)
