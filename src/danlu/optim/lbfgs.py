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

    lr: length of the first try along a direction (strong_wolfe adapts it)
    max_iter: iterations of a step, each with at least one evaluation
    max_eval: evaluations of a step (None: 5/4 of max_iter)
    history: pairs of steps and gradient changes that are remembered
    line_search: strong_wolfe, or none, which trusts lr
    tolerance_grad: a step ends when no gradient is larger
    tolerance_change: a step ends when neither weights nor loss change more

    Scope: 3.2

    中文: L-BFGS：由最近几步构造的拟牛顿方向加线搜索；适合全批量，可与梯度累积一起用。
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
