"""Answers that are wrong, each by the name of its hint."""


def fan_out(shape, slope):
    return (2 / (1 + slope**2) / shape[0]) ** 0.5


def no_root(shape, slope):
    return 2 / (1 + slope**2) / shape[1]


def forgets_kink(shape, slope):
    return (1 / shape[1]) ** 0.5


def slope_not_squared(shape, slope):
    return (2 / (1 + slope) / shape[1]) ** 0.5


def ignores_slope(shape, slope):
    return (2 / shape[1]) ** 0.5


def wrong(shape, slope):
    return (4 / (1 + slope**2) / (shape[0] + shape[1])) ** 0.5
