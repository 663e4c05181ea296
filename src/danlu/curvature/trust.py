"""A bound on how far one step may change what a model says: the trust region of second-order methods.

The change is measured by lr^2 g F^-1 g, twice the divergence from the old distribution to the new, as far as it is quadratic (Ba et al.
2017, "Distributed second-order optimization using Kronecker-factored approximations", section 5).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def rates(optimizer: torch.optim.Optimizer) -> dict[int, float]:
    """The rate of each parameter, by its id, in the step that is going on."""
    return {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}


def share(lengths: Sequence[Tensor], trust: float) -> Tensor:
    """How much of a step is within the bound, 0 to 1; lengths: lr^2 g F^-1 g of its parts. (Nothing is read from the device.)"""
    length = torch.stack(list(lengths)).sum()
    return torch.where(length > trust, (trust / length.clamp(min=1e-30)).sqrt(), torch.ones_like(length))
