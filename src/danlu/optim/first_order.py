"""SGD and Adam's family as torch has them, as descriptions: SGD, Adam, AdamW, NAdam, RAdam."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from danlu import messages
from danlu.errors import BadInput
from danlu.fields import Fraction, NonNegative, Positive, Rate
from danlu.optim.fused import Fused, built
from danlu.optim.groups import Grouped


@dataclass(frozen=True)
class SGD(Grouped):
    """Stochastic gradient descent with momentum, Nesterov's if asked for (Robbins & Monro 1951; Sutskever et al. 2013).

    lr: learning rate
    momentum: how much of the last update is kept
    nesterov: look ahead along the momentum; needs momentum above 0 and no dampening
    weight_decay: L2 penalty, added to the gradient of matrices (coupled)
    dampening: how much of a new gradient the momentum leaves out
    fused: fused kernels; auto takes them where torch has right ones for the device and dtype, off takes foreach

    Scope: 1.5, 3.1

    中文: 随机梯度下降，可带动量与 Nesterov 加速；权重衰减是加在梯度上的 L2 项。
    """

    width_rule: ClassVar = "sgd"

    lr: Positive = 0.1
    momentum: Rate = 0.9
    nesterov: bool = False
    weight_decay: NonNegative = 0.0
    dampening: Fraction = 0.0
    fused: Fused = "auto"

    def takes_sparse(self) -> bool:
        return self.momentum == 0  # a sparse momentum would miss the rows that other batches touched

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            raise BadInput(messages.NESTEROV, momentum=self.momentum, dampening=self.dampening)
        return built(
            torch.optim.SGD, params, self.fused,
            lr=self.lr, momentum=self.momentum, dampening=self.dampening, weight_decay=self.weight_decay, nesterov=self.nesterov,
        )  # fmt: skip


@dataclass(frozen=True)
class Adam(Grouped):
    """Adam: steps scaled by running moments of the gradient; weight decay is an L2 term in the gradient (Kingma & Ba 2015).

    lr: learning rate
    beta1: decay of the running mean of the gradient
    beta2: decay of the running mean of its square
    eps: added to the root of the second moment
    weight_decay: L2 penalty, added to the gradient of matrices (coupled; for the decoupled one take adamw)
    fused: fused kernels; auto takes them where torch has right ones for the device and dtype, off takes foreach

    Scope: 1.5, 3.1

    中文: Adam：用梯度的一阶与二阶滑动矩调节步长；权重衰减是加在梯度上的 L2 项（耦合式）。
    """

    width_rule: ClassVar = "adam"

    lr: Positive = 1e-3
    beta1: Rate = 0.9
    beta2: Rate = 0.999
    eps: NonNegative = 1e-8
    weight_decay: NonNegative = 0.0
    fused: Fused = "auto"

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        return built(
            torch.optim.Adam, params, self.fused,
            lr=self.lr, betas=(self.beta1, self.beta2), eps=self.eps, weight_decay=self.weight_decay,
        )  # fmt: skip


@dataclass(frozen=True)
class AdamW(Grouped):
    """Adam with decoupled weight decay: parameters shrink by lr times the decay, whatever their gradient (Loshchilov & Hutter 2019).

    lr: learning rate
    beta1: decay of the running mean of the gradient
    beta2: decay of the running mean of its square
    eps: added to the root of the second moment
    weight_decay: how much matrices shrink a step, as a multiple of the rate (decoupled)
    fused: fused kernels; auto takes them where torch has right ones for the device and dtype, off takes foreach

    Scope: 1.5, 3.1

    中文: AdamW：权重衰减与梯度解耦的 Adam，每步直接按“学习率 × 衰减”缩小权重。
    """

    width_rule: ClassVar = "adam"

    lr: Positive = 1e-3
    beta1: Rate = 0.9
    beta2: Rate = 0.999
    eps: NonNegative = 1e-8
    weight_decay: NonNegative = 0.01
    fused: Fused = "auto"

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        return built(
            torch.optim.AdamW, params, self.fused,
            lr=self.lr, betas=(self.beta1, self.beta2), eps=self.eps, weight_decay=self.weight_decay,
        )  # fmt: skip


@dataclass(frozen=True)
class NAdam(Grouped):
    """Adam with Nesterov's momentum, whose share rises over the first steps (Dozat 2016, "Incorporating Nesterov momentum into Adam").

    lr: learning rate
    beta1: decay of the running mean of the gradient
    beta2: decay of the running mean of its square
    eps: added to the root of the second moment
    momentum_decay: how fast the momentum's share rises; 0 has it whole from the start
    weight_decay: decay of matrices
    decoupled: matrices shrink by lr times the decay, as in adamw; else the decay is an L2 penalty in the gradient

    Scope: 3.1

    中文: NAdam：带 Nesterov 动量的 Adam。
    """

    width_rule: ClassVar = "adam"

    lr: Positive = 2e-3
    beta1: Rate = 0.9
    beta2: Rate = 0.999
    eps: NonNegative = 1e-8
    momentum_decay: NonNegative = 4e-3
    weight_decay: NonNegative = 0.0
    decoupled: bool = True

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        return built(
            torch.optim.NAdam, params, "off", lr=self.lr, betas=(self.beta1, self.beta2), eps=self.eps, weight_decay=self.weight_decay,
            momentum_decay=self.momentum_decay, decoupled_weight_decay=self.decoupled,
        )  # fmt: skip


@dataclass(frozen=True)
class RAdam(Grouped):
    """Adam that leaves its second moment out until enough was seen, then rectifies its variance: a warm-up of its own (Liu et al. 2020).

    lr: learning rate
    beta1: decay of the running mean of the gradient
    beta2: decay of the running mean of its square
    eps: added to the root of the second moment
    weight_decay: decay of matrices
    decoupled: matrices shrink by lr times the decay, as in adamw; else the decay is an L2 penalty in the gradient

    Scope: 3.1

    中文: RAdam：对二阶矩的方差做修正的 Adam，相当于自带预热。
    """

    width_rule: ClassVar = "adam"

    lr: Positive = 1e-3
    beta1: Rate = 0.9
    beta2: Rate = 0.999
    eps: NonNegative = 1e-8
    weight_decay: NonNegative = 0.0
    decoupled: bool = True

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        return built(
            torch.optim.RAdam, params, "off", lr=self.lr, betas=(self.beta1, self.beta2), eps=self.eps, weight_decay=self.weight_decay,
            decoupled_weight_decay=self.decoupled,
        )  # fmt: skip
