"""The lowest of the finite losses, if both of its neighbours are there."""

import math


def best_rate(rates: list[float], losses: list[float]) -> float:
    place = min((k for k, loss in enumerate(losses) if math.isfinite(loss)), key=lambda k: losses[k])
    if place in (0, len(rates) - 1):
        return math.nan
    left, middle, right = losses[place - 1 : place + 2]
    if not (math.isfinite(left) and math.isfinite(right)):
        return math.nan
    stride = rates[1] / rates[0]
    return rates[place] * stride ** (0.5 * (left - right) / (left - 2 * middle + right))
