"""The steepest axis sets the limit: there the factor 1 - rate * c must stay above -1."""


def largest_rate(curvatures: list[float]) -> float:
    return 2 / max(curvatures)
