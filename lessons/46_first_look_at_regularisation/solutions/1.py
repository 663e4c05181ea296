"""Wait since the best; nan improves on nothing, and everything improves on it."""

import math


def stopped(losses: list[float], patience: int) -> tuple[int, int]:
    best, lowest = 0, math.inf
    for place, loss in enumerate(losses):
        if loss < lowest:
            best, lowest = place, loss
        elif place - best > patience:
            return best, place
    return best, len(losses) - 1
