"""Losses for numbers: targets [rows] or [rows, columns], output alike (a lone last column is optional); the mean is over elements."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from danlu import messages
from danlu.core import Batch, Loss
from danlu.data.source import Facts
from danlu.errors import BadInput
from danlu.fields import Positive, Range
from danlu.losses.criterion import Criterion, constant, logits, paired, term, wide


@dataclass(frozen=True)
class MSE:
    """Mean squared error.

    中文: 均方误差。
    Scope: 1.3
    """

    def __call__(self, facts: Facts) -> Criterion:
        return _elementwise("mse", lambda output, target: F.mse_loss(output, target, reduction="sum"))


@dataclass(frozen=True)
class MAE:
    """Mean absolute error: the best constant is the median, so far-off rows pull less than under the squared error.

    中文: 平均绝对误差。
    Scope: 1.3
    """

    def __call__(self, facts: Facts) -> Criterion:
        return _elementwise("mae", lambda output, target: F.l1_loss(output, target, reduction="sum"))


@dataclass(frozen=True)
class Huber:
    """Squared error near zero, absolute error beyond (Huber 1964, "Robust estimation of a location parameter").

    e^2 / 2 for |e| <= delta, else delta (|e| - delta / 2).

    delta: where one becomes the other, in units of the target as the model sees it ｜ 平方误差与绝对误差的分界，单位同模型所见的目标

    中文: Huber 损失：小误差取平方，大误差取绝对值。

    中文: `|e| <= delta` 时为 `e^2 / 2`，否则为 `delta (|e| - delta / 2)`。
    Scope: 1.3
    """

    delta: Positive = 1.0

    def __call__(self, facts: Facts) -> Criterion:
        delta = self.delta
        return _elementwise("huber", lambda output, target: F.huber_loss(output, target, reduction="sum", delta=delta))


@dataclass(frozen=True)
class LogCosh:
    """Log of the hyperbolic cosine of the error: smooth everywhere, squared near zero and absolute far away.

    Computed as |e| + log(1 + exp(-2 |e|)) - log 2, which does not overflow.

    中文: 对数双曲余弦损失。

    中文: 处处光滑，在零附近近似平方误差，远处近似绝对误差。按 `|e| + log(1 + exp(-2 |e|)) - log 2` 计算，不会溢出。
    Scope: 1.3
    """

    def __call__(self, facts: Facts) -> Criterion:
        def sums(output: Tensor, target: Tensor) -> Tensor:
            error = (output - target).abs()
            return (error + F.softplus(-2 * error) - math.log(2)).sum()

        return _elementwise("log_cosh", sums)


@dataclass(frozen=True)
class Quantile:
    """Pinball loss: each output column learns one quantile of the target (Koenker and Bassett 1978, "Regression quantiles").

    max(q e, (q - 1) e) with e = target - prediction, averaged over the quantiles. Output [rows, quantiles] for targets [rows]; for targets
    [rows, columns] it is [rows, columns * quantiles], the quantiles of the first target column first. Metrics look at the quantile
    nearest to the median.

    quantiles: which quantiles, each between 0 and 1 ｜ 要预测的分位数，各在 0 与 1 之间

    中文: 分位数（弹球）损失：每个输出列学习一个分位数。

    中文: `max(q e, (q - 1) e)`，其中 `e = target - prediction`，对各分位数取平均。目标为 `[rows]` 时输出为 `[rows, quantiles]`；
    目标为 `[rows, columns]` 时输出为 `[rows, columns * quantiles]`，第一个目标列的各分位数在前。指标看最接近中位数的那个分位数。
    Scope: 1.3
    """

    quantiles: tuple[Annotated[float, Range(0, 1, open_low=True, open_high=True)], ...] = (0.1, 0.5, 0.9)

    def columns(self, facts: Facts) -> int:
        """Output columns that the model must have."""
        return facts.outputs * len(self.quantiles)

    def __call__(self, facts: Facts) -> Criterion:
        if not self.quantiles:
            raise BadInput(messages.NO_QUANTILES)
        number, at = len(self.quantiles), constant(self.quantiles)
        middle = min(range(number), key=lambda i: abs(self.quantiles[i] - 0.5))

        def sums(output: Any, batch: Batch) -> Loss:
            predicted = wide(logits(output))
            target = _columns(batch.targets).to(predicted.dtype)
            _expect(predicted, batch.targets, (len(target), target.shape[1] * number))
            error = target.unsqueeze(-1) - predicted.unflatten(-1, (-1, number))
            q = at(error.device, error.dtype)
            return term("quantile", torch.maximum(q * error, (q - 1) * error).mean(-1).sum(), "elements")

        return Criterion(sums, _elements, loss_name="quantile", point=lambda output: logits(output)[..., middle::number])


@dataclass(frozen=True)
class GaussianNLL:
    """Negative log-likelihood of a normal distribution whose mean and variance the model predicts (Nix and Weigend 1994).

    (log v + (target - mean)^2 / v) / 2, without the constant log(2 pi) / 2. Output [rows, 2] for targets [rows]: the mean and s; for
    targets [rows, columns] it is [rows, 2 * columns], all means first. The variance is v = exp(s) + eps, with its logarithm
    formed directly, so that no s overflows and the gradient never dies. Metrics look at the mean.

    eps: the least variance ｜ 方差的下限

    中文: 高斯负对数似然：同时预测均值与方差。

    中文: `(log v + (target - mean)^2 / v) / 2`，省去常数 `log(2 pi) / 2`。目标为 `[rows]` 时输出为 `[rows, 2]`：均值与 s；
    目标为 `[rows, columns]` 时输出为 `[rows, 2 * columns]`，均值全部在前。方差 `v = exp(s) + eps`，其对数直接算出，因此 s 取何值都不溢出，
    梯度也不会消失。指标只看均值。
    Scope: 1.3
    """

    eps: Positive = 1e-6

    def columns(self, facts: Facts) -> int:
        """Output columns that the model must have."""
        return facts.outputs * 2

    def __call__(self, facts: Facts) -> Criterion:
        at = constant(math.log(self.eps))

        def sums(output: Any, batch: Batch) -> Loss:
            predicted = wide(logits(output))
            target = _columns(batch.targets).to(predicted.dtype)
            _expect(predicted, batch.targets, (len(target), target.shape[1] * 2))
            mean, s = predicted.chunk(2, -1)
            log_v = torch.logaddexp(s, at(s.device, s.dtype))
            return term("gaussian_nll", 0.5 * (log_v + (target - mean) ** 2 * torch.exp(-log_v)).sum(), "elements")

        return Criterion(sums, _elements, loss_name="gaussian_nll", point=lambda output: logits(output).chunk(2, -1)[0])


def _elementwise(name: str, loss: Callable[[Tensor, Tensor], Tensor]) -> Criterion:
    def sums(output: Any, batch: Batch) -> Loss:
        return term(name, loss(*paired(wide(logits(output)), batch.targets)), "elements")

    return Criterion(sums, _elements, loss_name=name)


def _elements(batch: Batch) -> dict[str, Any]:
    return {"elements": batch.targets.numel()}


def _columns(target: Tensor) -> Tensor:
    return target.unsqueeze(-1) if target.ndim == 1 else target


def _expect(output: Tensor, target: Tensor, shape: tuple[int, ...]) -> None:
    if output.shape != shape:
        raise BadInput(messages.OUTPUT_COLUMNS, output=tuple(output.shape), target=tuple(target.shape), wanted=shape)
