"""Subtract the two equations for the noise, put it back for the signal."""


def noise_scale(few: int, small: float, many: int, large: float) -> float:
    noise = (small - large) / (1 / few - 1 / many)
    signal = large - noise / many
    return noise / signal
