"""Two of the four terms depend on the batch, scale * fixed / B and per_row * B; their sum is least where they are equal."""

import math


def fastest_batch(scale: float, fixed: float, per_row: float) -> float:
    return math.sqrt(scale * fixed / per_row)
