"""Answers that are wrong, each by the name of its hint."""


def never_late(window, speed, noise):
    return noise**2 / (2 * window - 1)


def late_by_window(window, speed, noise):
    return (speed * window) ** 2 + noise**2 / (2 * window - 1)


def deviation(window, speed, noise):
    return (speed * (window - 1)) ** 2 + noise / (2 * window - 1)


def plain_average(window, speed, noise):
    return (speed * (window - 1)) ** 2 + noise**2 / window


def wrong(window, speed, noise):
    return speed * (window - 1) + noise**2 / (2 * window - 1)
