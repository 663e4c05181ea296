"""Sum, take the scale and the rows out, and only then look at the length."""

import math


def step_gradient(parts: list[list[float]], rows: list[int], scale: float, limit: float) -> list[float]:
    mean = [sum(numbers) / scale / sum(rows) for numbers in zip(*parts)]
    length = math.hypot(*mean)
    return [g * limit / length for g in mean] if length > limit else mean
