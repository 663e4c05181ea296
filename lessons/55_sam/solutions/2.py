"""x - rate c (x + rho) = -x."""


def resting_distance(rate: float, curvature: float, rho: float) -> float:
    return rate * curvature * rho / (2 - rate * curvature)
