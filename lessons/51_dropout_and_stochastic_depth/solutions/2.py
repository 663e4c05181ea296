"""The branch of each sample is there or not, and larger when it is."""


def residual(x: list[list[float]], branch: list[list[float]], uniform: list[float], p: float, training: bool) -> list[list[float]]:
    factors = [(u >= p) / (1 - p) if training else 1.0 for u in uniform]
    return [[a + factor * b for a, b in zip(row, change)] for row, change, factor in zip(x, branch, factors)]
