"""Answers that are wrong, each by the name of its hint."""

import math


def _three(rates, losses):
    place = min((k for k, loss in enumerate(losses) if math.isfinite(loss)), key=lambda k: losses[k])
    if place in (0, len(rates) - 1) or not (math.isfinite(losses[place - 1]) and math.isfinite(losses[place + 1])):
        return None
    return place, *losses[place - 1 : place + 2]


def edge(rates, losses):
    return rates[min((k for k, loss in enumerate(losses) if math.isfinite(loss)), key=lambda k: losses[k])]


def diverged(rates, losses):
    place = min(range(len(rates)), key=lambda k: losses[k])
    if place in (0, len(rates) - 1):
        return math.nan
    left, middle, right = losses[place - 1 : place + 2]
    return rates[place] * (rates[1] / rates[0]) ** (0.5 * (left - right) / (left - 2 * middle + right))


def grid_point(rates, losses):
    found = _three(rates, losses)
    return rates[found[0]] if found else math.nan


def plain_rate(rates, losses):
    if (found := _three(rates, losses)) is None:
        return math.nan
    place, left, middle, right = found
    a, b, c = rates[place - 1 : place + 2]
    return b - 0.5 * ((b - a) ** 2 * (middle - right) - (b - c) ** 2 * (middle - left)) / (
        (b - a) * (middle - right) - (b - c) * (middle - left)
    )


def other_side(rates, losses):
    if (found := _three(rates, losses)) is None:
        return math.nan
    place, left, middle, right = found
    return rates[place] / (rates[1] / rates[0]) ** (0.5 * (left - right) / (left - 2 * middle + right))


def wrong(rates, losses):
    if (found := _three(rates, losses)) is None:
        return math.nan
    place, left, middle, right = found
    return rates[place] * math.e ** (0.5 * (left - right) / (left - 2 * middle + right))
