"""What noise adds in a step is what the slope takes away."""


def resting_loss(rate: float, curvature: float, noise: float) -> float:
    square = rate**2 * noise**2 / (1 - (1 - rate * curvature) ** 2)
    return curvature * square / 2
