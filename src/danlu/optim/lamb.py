"""LAMB: Adam's direction, as long as the layer's weights (You et al. 2020, "Large batch optimization for deep learning")."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from danlu.fields import NonNegative, Positive, Rate
from danlu.optim.foreach import Foreach, Touched, adam, zeros
from danlu.optim.groups import Grouped


@dataclass(frozen=True)
class LAMB(Grouped):
    """LAMB: each tensor moves by the rate times its own norm, in Adam's direction; for very large batches (You et al. 2020).

    lr: learning rate, relative to the norm of each tensor
    beta1: decay of the running mean of the gradient
    beta2: decay of the running mean of its square
    eps: added to the root of the second moment
    weight_decay: decay of matrices, added to the direction before its length is set

    Scope: 3.1

    中文: LAMB：方向同 Adam，步长与该层权重的范数成正比，适合超大批次。
    """

    lr: Positive = 5e-3
    beta1: Rate = 0.9
    beta2: Rate = 0.999
    eps: Positive = 1e-6
    weight_decay: NonNegative = 0.01

    def __call__(self, params: Iterable[Any]) -> LAMBOptimizer:
        return LAMBOptimizer(params, lr=self.lr, betas=(self.beta1, self.beta2), eps=self.eps, weight_decay=self.weight_decay)


class LAMBOptimizer(Foreach):
    """Algorithm 2 of You et al. 2020, without a bound on the weights' norm. A tensor or a direction of norm zero has the ratio 1.

    State: `exp_avg` and `exp_avg_sq`, like the parameter.
    """

    def fresh(self, p: Tensor, grad: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"exp_avg": zeros(p), "exp_avg_sq": zeros(p)}

    def move(self, touched: Touched) -> None:
        group, params = touched.group, touched.params
        updates = adam(touched, group["betas"], group["eps"])
        if group["weight_decay"]:
            torch._foreach_add_(updates, params, alpha=group["weight_decay"])
        weights, lengths = (torch.stack(torch._foreach_norm(tensors)) for tensors in (params, updates))
        ratios = torch.where((weights > 0) & (lengths > 0), weights / lengths, 1.0)
        torch._foreach_mul_(updates, list(ratios.unbind()))
        torch._foreach_add_(params, updates, alpha=-group["lr"])
