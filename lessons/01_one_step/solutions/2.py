"""Against the gradient, by the rate."""

from torch import Tensor


def updated(weights: list[Tensor], gradients: list[Tensor], rate: float) -> list[Tensor]:
    return [w - rate * g for w, g in zip(weights, gradients)]
