"""Lion: the sign of an interpolated momentum as the update, found by symbolic search over programs (Chen et al. 2023)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from danlu import messages
from danlu.errors import BadInput
from danlu.fields import NonNegative, Positive, Rate
from danlu.optim.groups import groups


@dataclass(frozen=True)
class Lion:
    """Lion: every parameter moves by the rate in the direction of the sign of its momentum; half of Adam's state (Chen et al. 2023).

    lr: learning rate; a third to a tenth of what AdamW takes
    beta1: share of the momentum, against the new gradient, in the update
    beta2: decay of the momentum
    weight_decay: how much matrices shrink a step, as a multiple of the rate (decoupled); three to ten times what AdamW takes
    decay_norms: norms and biases decay too

    Scope: 1.5

    中文: Lion：只取动量的符号作为更新方向，状态量是 Adam 的一半；学习率应比 AdamW 小 3 到 10 倍。
    """

    lr: Positive = 1e-4
    beta1: Rate = 0.9
    beta2: Rate = 0.99
    weight_decay: NonNegative = 0.1
    decay_norms: bool = False

    def groups(self, model: nn.Module) -> list[dict[str, Any]]:
        return groups(model, self.weight_decay, self.decay_norms)

    def __call__(self, params: Iterable[Any]) -> LionOptimizer:
        entries = [dict(entry) if isinstance(entry, dict) else entry for entry in params]  # torch writes into the dicts it is given
        return LionOptimizer(entries, self.lr, (self.beta1, self.beta2), self.weight_decay)


class LionOptimizer(torch.optim.Optimizer):
    """Algorithm 2 of Chen et al. 2023, over all tensors of a group at once; nothing is read back from the device.

    params: as for any torch optimiser. betas: (in the update, of the momentum). State: `exp_avg`, like its parameter, for each.
    Raises BadInput for a negative rate or decay and for betas outside [0, 1). Parameters must be real.
    """

    def __init__(self, params: Iterable[Any], lr: float = 1e-4, betas: tuple[float, float] = (0.9, 0.99), weight_decay: float = 0.0):
        if not (lr >= 0 and weight_decay >= 0 and all(0 <= beta < 1 for beta in betas)):
            raise BadInput(messages.LION_RANGE, lr=lr, betas=betas, weight_decay=weight_decay)
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            if params := [p for p in group["params"] if p.grad is not None]:
                self._move(params, **{key: group[key] for key in ("lr", "betas", "weight_decay")})
        return loss

    def _move(self, params: list[Tensor], lr: float, betas: tuple[float, float], weight_decay: float) -> None:
        grads = [p.grad for p in params if p.grad is not None]
        for p in params:
            if not self.state[p]:
                self.state[p]["exp_avg"] = torch.zeros_like(p)
        momenta = [self.state[p]["exp_avg"] for p in params]
        if weight_decay:
            torch._foreach_mul_(params, 1 - lr * weight_decay)
        updates = torch._foreach_lerp(momenta, grads, 1 - betas[0])
        torch._foreach_sign_(updates)
        torch._foreach_add_(params, updates, alpha=-lr)
        torch._foreach_lerp_(momenta, grads, 1 - betas[1])
