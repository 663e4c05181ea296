"""Answers that are wrong, each by the name of its hint."""

import math


def variance(x, w, p):
    return p / (1 - p) * sum((a * b) ** 2 for a, b in zip(x, w))


def weights_left_out(x, w, p):
    return math.sqrt(p / (1 - p) * sum(a**2 for a in x))


def not_scaled(x, w, p):
    return math.sqrt(p * (1 - p) * sum((a * b) ** 2 for a, b in zip(x, w)))


def added_up(x, w, p):
    return math.sqrt(p / (1 - p)) * sum(abs(a * b) for a, b in zip(x, w))


def wrong(x, w, p):
    return math.sqrt(p * sum((a * b) ** 2 for a, b in zip(x, w)))
