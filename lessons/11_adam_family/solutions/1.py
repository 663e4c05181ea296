"""Decay beside the gradient, moments without it."""

import math


def adamw_step(
    w: float, gradient: float, mean: float, square: float, t: int, lr: float, decay: float, beta1: float, beta2: float, eps: float
) -> tuple[float, float, float]:
    mean = beta1 * mean + (1 - beta1) * gradient
    square = beta2 * square + (1 - beta2) * gradient**2
    m, s = mean / (1 - beta1**t), square / (1 - beta2**t)
    return w - lr * decay * w - lr * m / (math.sqrt(s) + eps), mean, square
