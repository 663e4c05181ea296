"""The longest of the two roots of every axis."""

import cmath


def long_run_factor(rate: float, momentum: float, curvatures: list[float]) -> float:
    longest = 0.0
    for c in curvatures:
        b = 1 + momentum - rate * c
        root = cmath.sqrt(b * b - 4 * momentum)
        longest = max(longest, abs(b + root) / 2, abs(b - root) / 2)
    return longest
