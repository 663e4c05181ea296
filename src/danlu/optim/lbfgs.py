"""L-BFGS: quasi-Newton directions from the last few steps, with a line search."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import torch

from danlu.fields import NonNegative, Positive, PositiveInt


@dataclass(frozen=True)
class LBFGS:
    """Limited-memory BFGS (Liu & Nocedal 1989): each step evaluates the whole batch several times and moves along a line search.

    Made for full batches: set batch_size to the number of rows, and micro_batch_size to what fits; the gradient is that of the whole batch.
    Parameters are one group (there is no weight decay; use a penalty in the loss), and a step whose numbers are not finite is undone.

    lr: length of the first try along a direction (strong_wolfe adapts it) ｜ 沿一个方向首次试探的步长（strong_wolfe 会自行调整）
    max_iter: iterations of a step, each with at least one evaluation ｜ 每步的迭代次数上限，每次迭代至少求值一次
    max_eval: evaluations of a step (null: 5/4 of max_iter) ｜ 每步的求值次数上限（null：max_iter 的 5/4）
    history: pairs of steps and gradient changes that are remembered ｜ 记住多少对位移与梯度变化
    line_search: strong_wolfe, or none, which trusts lr ｜ 线搜索：strong_wolfe；none 不搜索，直接用 lr
    tolerance_grad: a step ends when no gradient is larger ｜ 梯度的每个分量都不超过此值时结束这一步
    tolerance_change: a step ends when the weights or the loss change by no more than this ｜ 权重或损失的变化不超过此值时结束这一步

    Formula: w ← w + α · d, d = −H g with H built from the last `history` pairs of steps and gradient changes, α by a line search
    When it helps: full batches of smooth problems: regression, small nets, physics-informed losses; few steps to high precision.
    What it costs: several evaluations of the whole batch a step, and 2 · history copies of the weights.
    When not to use it: small or noisy batches: gradient differences are then noise.
    Failure signals: steps that end after one evaluation: no decrease was found, the loss is not smooth or not the same from look to look.
    Interactions: gradient techniques are asked at every evaluation of the line search, so `sam` doubles all of them; without weight decay
    of its own, take `l2`; schedules scale only the first try.

    Scope: 3.2

    中文: L-BFGS：由最近几步构造的拟牛顿方向加线搜索；适合全批量，可与梯度累积一起用。

    原理: 用最近几步的位移与梯度变化构造拟牛顿方向，再沿该方向做线搜索。
    公式: w ← w + α · d，d = −H g，H 由最近 `history` 对位移与梯度之差构造，α 由线搜索给出
    何时有用: 光滑问题的全批量训练：回归、小网络、物理信息损失；几步就能达到高精度。
    代价: 每步要对整个批次求值数次，并存 2 × history 份权重。
    何时不用: 小批次或噪声大的梯度：梯度之差只剩噪声。
    失效信号: 一次求值后就结束的步：没找到下降，损失不光滑，或每次求值不一致。
    相互作用: 线搜索的每次求值都会经过梯度技巧，`sam` 使其全部翻倍；自身没有权重衰减，请用 `l2`；调度只影响第一次试探的长度。
    """

    lr: Positive = 1.0
    max_iter: PositiveInt = 20
    max_eval: PositiveInt | None = None
    history: PositiveInt = 10
    line_search: Literal["strong_wolfe", "none"] = "strong_wolfe"
    tolerance_grad: NonNegative = 1e-7
    tolerance_change: NonNegative = 1e-9

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        return torch.optim.LBFGS(
            [p[1] if isinstance(p, tuple) else p for p in params],
            lr=self.lr,
            max_iter=self.max_iter,
            max_eval=self.max_eval,
            history_size=self.history,
            line_search_fn="strong_wolfe" if self.line_search == "strong_wolfe" else None,
            tolerance_grad=self.tolerance_grad,
            tolerance_change=self.tolerance_change,
        )
