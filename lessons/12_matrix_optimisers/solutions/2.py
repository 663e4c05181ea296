"""The squares add up to the shorter side, over rows * columns of them: their mean is one over the longer side."""

import math


def stretch(rows: int, columns: int, size: float) -> float:
    return size * math.sqrt(max(rows, columns))
