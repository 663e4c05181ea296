"""Late by window - 1 steps; and the squared weights sum to 1 / (2 window - 1)."""


def error_of_average(window: float, speed: float, noise: float) -> float:
    return (speed * (window - 1)) ** 2 + noise**2 / (2 * window - 1)
