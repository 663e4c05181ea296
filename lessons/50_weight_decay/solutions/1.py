"""Each step leaves 1 - rate * decay of what there was."""

import math


def share_left(rates: list[float], decay: float) -> float:
    return math.prod(1 - rate * decay for rate in rates)
