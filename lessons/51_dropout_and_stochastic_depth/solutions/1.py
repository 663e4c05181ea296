"""Variances add: each input has (w x)^2 p / (1 - p)."""

import math


def deviation(x: list[float], w: list[float], p: float) -> float:
    return math.sqrt(p / (1 - p) * sum((a * b) ** 2 for a, b in zip(x, w)))
