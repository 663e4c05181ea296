"""Answers that are wrong, each by the name of its hint."""


def _square(rate, curvature, noise):
    return rate**2 * noise**2 / (1 - (1 - rate * curvature) ** 2)


def zero(rate, curvature, noise):
    return 0.0


def no_noise(rate, curvature, noise):
    return curvature * _square(rate, curvature, 1.0) / 2


def deviation(rate, curvature, noise):
    return curvature * _square(rate, curvature, noise) / 2 / noise


def position(rate, curvature, noise):
    return _square(rate, curvature, noise)


def small_rates_only(rate, curvature, noise):
    return rate * noise**2 / 4


def wrong(rate, curvature, noise):
    return curvature * rate**2 * noise**2 / (1 - (1 - rate * curvature)) / 2
