"""Both means are divided by the weight that they have had so far."""

import math


def adam_moves(gradients: list[float], beta1: float, beta2: float) -> list[float]:
    mean = square = 0.0
    moves = []
    for step, g in enumerate(gradients, 1):
        mean = beta1 * mean + (1 - beta1) * g
        square = beta2 * square + (1 - beta2) * g * g
        moves.append(mean / (1 - beta1**step) / math.sqrt(square / (1 - beta2**step)))
    return moves
