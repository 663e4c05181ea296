"""Those that stay are divided by the share that stays."""

import torch
from torch import Tensor


def dropped(x: Tensor, rate: float, draws: Tensor, training: bool) -> Tensor:
    if not training:
        return x
    if rate >= 1:
        return torch.zeros_like(x)
    return torch.where(draws < rate, 0.0, x / (1 - rate))
