"""Up by rho over all weights together, in new tensors."""

from collections.abc import Callable

import torch
from torch import Tensor


def sam_gradient(gradient: Callable[[list[Tensor]], list[Tensor]], weights: list[Tensor], rho: float) -> list[Tensor]:
    slope = gradient(weights)
    length = torch.cat([g.flatten() for g in slope]).norm()
    return gradient([w + rho * g / length for w, g in zip(weights, slope)]) if length > 0 else slope
