"""The line of least squares through the logarithms, and back."""

import math


def foretold(sizes: list[int], errors: list[float], size: int) -> float:
    x, y = [math.log(s) for s in sizes], [math.log(e) for e in errors]
    middle_x, middle_y = sum(x) / len(x), sum(y) / len(y)
    slope = sum((a - middle_x) * (b - middle_y) for a, b in zip(x, y)) / sum((a - middle_x) ** 2 for a in x)
    return math.exp(middle_y + slope * (math.log(size) - middle_x))
