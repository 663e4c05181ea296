"""Optimisers with a rate for each number, as torch has them, as descriptions: Adagrad, RMSprop, Adadelta, Adafactor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import torch

from danlu.fields import NonNegative, Positive, Range, Rate
from danlu.optim.fused import Fused, built
from danlu.optim.groups import Grouped


@dataclass(frozen=True)
class Adagrad(Grouped):
    """Adagrad: steps over the root of the sum of all squared gradients, so that rare features keep large rates (Duchi et al. 2011).

    lr: learning rate
    lr_decay: step n has the rate lr / (1 + n lr_decay)
    initial: where the sum of squares starts
    eps: added to the root of the sum
    weight_decay: L2 penalty, added to the gradient of matrices (coupled)
    fused: fused kernels; auto takes them where torch has right ones for the device and dtype, off takes foreach

    Scope: 3.5

    中文: Adagrad：按历史梯度平方和的平方根缩小步长，稀疏特征保留较大的学习率。
    """

    width_rule: ClassVar = "adam"

    lr: Positive = 1e-2
    lr_decay: NonNegative = 0.0
    initial: NonNegative = 0.0
    eps: Positive = 1e-10
    weight_decay: NonNegative = 0.0
    fused: Fused = "auto"

    def takes_sparse(self) -> bool:
        return True

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        return built(
            torch.optim.Adagrad, params, self.fused, lr=self.lr, lr_decay=self.lr_decay, initial_accumulator_value=self.initial,
            eps=self.eps, weight_decay=self.weight_decay,
        )  # fmt: skip


@dataclass(frozen=True)
class RMSprop(Grouped):
    """RMSprop: steps over the root of a running mean of squared gradients (Tieleman & Hinton 2012; centred: Graves 2013).

    lr: learning rate
    decay: decay of the running mean of squares
    eps: added to the root of the mean
    momentum: how much of the last update is kept
    centered: divide by the deviation around the running mean of the gradient instead
    weight_decay: L2 penalty, added to the gradient of matrices (coupled)

    Scope: 3.5

    中文: RMSprop：按梯度平方滑动平均的平方根缩放步长。
    """

    width_rule: ClassVar = "adam"

    name = "rmsprop"

    lr: Positive = 1e-2
    decay: Rate = 0.99
    eps: Positive = 1e-8
    momentum: Rate = 0.0
    centered: bool = False
    weight_decay: NonNegative = 0.0

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        return built(
            torch.optim.RMSprop, params, "off", lr=self.lr, alpha=self.decay, eps=self.eps, momentum=self.momentum,
            centered=self.centered, weight_decay=self.weight_decay,
        )  # fmt: skip


@dataclass(frozen=True)
class Adadelta(Grouped):
    """Adadelta: steps of the size of the past updates, so that no rate need be chosen (Zeiler 2012).

    lr: what the update is multiplied by; 1 is the paper's
    rho: decay of the running means of squared gradients and of squared updates
    eps: added inside both roots; the very first step is its root long
    weight_decay: L2 penalty, added to the gradient of matrices (coupled)

    Scope: 3.5

    中文: Adadelta：以过去更新量的大小为步长，无需选择学习率。
    """

    lr: Positive = 1.0
    rho: Rate = 0.9
    eps: Positive = 1e-6
    weight_decay: NonNegative = 0.0

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        return built(torch.optim.Adadelta, params, "off", lr=self.lr, rho=self.rho, eps=self.eps, weight_decay=self.weight_decay)


@dataclass(frozen=True)
class Adafactor(Grouped):
    """Adafactor: a matrix's second moments kept as a row and a column, so next to no state (Shazeer & Stern 2018).

    Steps are relative to the size of the weights; the rate of step n is the smaller of lr and 1 / sqrt(n).

    lr: largest relative step
    beta2_decay: step n forgets n to this power of the second moments
    eps: least root mean square that weights are taken to have, so that zeros can move
    clip: update whose root mean square is above this is scaled down to it
    weight_decay: how much matrices shrink a step, as a multiple of the rate (decoupled)

    Scope: 3.5

    中文: Adafactor：矩阵的二阶矩只存行与列，几乎不占显存；步长相对于权重大小。
    """

    lr: Positive = 1e-2
    beta2_decay: Annotated[float, Range(-1, 0, open_low=True)] = -0.8
    eps: Positive = 1e-3
    clip: Annotated[float, Range(1)] = 1.0
    weight_decay: NonNegative = 0.0

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        return built(
            torch.optim.Adafactor, params, "off", lr=self.lr, beta2_decay=self.beta2_decay, eps=(None, self.eps), d=self.clip,
            weight_decay=self.weight_decay,
        )  # fmt: skip
