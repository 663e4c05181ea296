"""Answers that are wrong, each by the name of its hint."""

import math


def _mean(values):
    return sum(values) / len(values)


def _variance(values, less=1):
    return sum((v - _mean(values)) ** 2 for v in values) / (len(values) - less)


def _differences(a, b):
    return [a[seed] - b[seed] for seed in a if seed in b]


def unpaired(a, b):
    one, other = list(a.values()), list(b.values())
    return (_mean(one) - _mean(other)) / math.sqrt(_variance(one) / len(one) + _variance(other) / len(other))


def by_place(a, b):
    d = [x - y for x, y in zip(a.values(), b.values())]
    return _mean(d) / math.sqrt(_variance(d) / len(d))


def population(a, b):
    d = _differences(a, b)
    return _mean(d) / math.sqrt(_variance(d, less=0) / len(d))


def no_root(a, b):
    d = _differences(a, b)
    return _mean(d) / math.sqrt(_variance(d))


def sign(a, b):
    d = _differences(b, a)
    return _mean(d) / math.sqrt(_variance(d) / len(d))


def wrong(a, b):
    d = _differences(a, b)
    return _mean(d) / (_variance(d) / math.sqrt(len(d)) + 0.1)
