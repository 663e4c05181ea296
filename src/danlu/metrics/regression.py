"""Metrics of numbers, in the user's unit: targets are (y - shift) / scale, so an error of one target step is `facts.scale`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from danlu import messages
from danlu.core import Batch
from danlu.data.source import Facts
from danlu.losses.criterion import exact, logits, paired
from danlu.metrics.metric import Metric, defined, ratio


@dataclass(frozen=True)
class RMSE:
    """Root mean squared error over all elements, in the user's unit.

    中文: 均方根误差（以用户的单位计）。
    Scope: 7.1
    """

    def __call__(self, facts: Facts) -> Metric:
        def stats(output: Any, batch: Batch) -> dict[str, Any]:
            predicted, target = _exact(output, batch)
            return {"squared": ((predicted - target) ** 2).sum(), "count": batch.ids.new_tensor(target.numel())}

        def finish(stats: dict[str, Tensor]) -> dict[str, float | None]:
            mean = ratio(stats["squared"], stats["count"])
            return {"rmse": None if mean is None else defined(mean**0.5 * abs(facts.scale))}

        return Metric("rmse", stats, finish, False, messages.UNDEFINED_ERROR)


@dataclass(frozen=True)
class MAE:
    """Mean absolute error over all elements, in the user's unit.

    中文: 平均绝对误差（以用户的单位计）。
    Scope: 7.1
    """

    def __call__(self, facts: Facts) -> Metric:
        def stats(output: Any, batch: Batch) -> dict[str, Any]:
            predicted, target = _exact(output, batch)
            return {"absolute": (predicted - target).abs().sum(), "count": batch.ids.new_tensor(target.numel())}

        def finish(stats: dict[str, Tensor]) -> dict[str, float | None]:
            mean = ratio(stats["absolute"], stats["count"])
            return {"mae": None if mean is None else defined(mean * abs(facts.scale))}

        return Metric("mae", stats, finish, False, messages.UNDEFINED_ERROR)


@dataclass(frozen=True)
class R2:
    """Coefficient of determination, 1 - residual / total sum of squares, averaged over target columns.

    Undefined if a column is constant.

    中文: 决定系数 R²。

    中文: 即 1 减去残差平方和与总平方和之比，对各目标列取平均。有一列为常数时无定义。
    Scope: 7.1
    """

    def __call__(self, facts: Facts) -> Metric:
        def stats(output: Any, batch: Batch) -> dict[str, Any]:
            predicted, target = (x.reshape(len(x), -1) for x in _exact(output, batch))
            return {
                "residual": ((predicted - target) ** 2).sum(0),
                "sum": target.sum(0),
                "squares": (target**2).sum(0),
                "count": batch.ids.new_tensor(len(target)),
            }

        def finish(stats: dict[str, Tensor]) -> dict[str, float | None]:
            # targets are normalised, so their mean is near 0 and this difference of squares keeps its digits; three of them are asked for
            total = stats["squares"] - stats["sum"] ** 2 / stats["count"]
            constant = bool((total <= stats["squares"] * (1e3 * torch.finfo(total.dtype).eps)).any())
            return {"r2": None if constant else defined((1 - stats["residual"] / total).mean())}

        return Metric("r2", stats, finish, True, messages.UNDEFINED_R2)


def _exact(output: Any, batch: Batch) -> tuple[Tensor, Tensor]:
    wide = exact(batch.targets.device)
    return paired(logits(output).to(wide), batch.targets)
