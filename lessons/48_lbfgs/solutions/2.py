"""Enough fall, and a slope that is flat enough on either side."""


def accepts(start: tuple[float, float], there: tuple[float, float], length: float, c1: float = 1e-4, c2: float = 0.9) -> bool:
    fallen = there[0] <= start[0] + c1 * length * start[1]
    return fallen and abs(there[1]) <= c2 * abs(start[1])
