"""Answers that are wrong, each by the name of its hint."""

import math


def _mean(parts, rows, scale):
    return [sum(numbers) / scale / sum(rows) for numbers in zip(*parts)]


def _clip(gradient, limit):
    length = math.hypot(*gradient)
    return [g * limit / length for g in gradient] if length > limit else gradient


def not_clipped(parts, rows, scale, limit):
    return _mean(parts, rows, scale)


def stretched(parts, rows, scale, limit):
    mean = _mean(parts, rows, scale)
    length = math.hypot(*mean)
    return [g * limit / length for g in mean] if length else mean


def by_value(parts, rows, scale, limit):
    return [max(-limit, min(limit, g)) for g in _mean(parts, rows, scale)]


def before_unscaling(parts, rows, scale, limit):
    return [g / scale for g in _clip(_mean(parts, rows, 1.0), limit)]


def each_part(parts, rows, scale, limit):
    clipped = [_clip([g / scale / count for g in part], limit) for part, count in zip(parts, rows)]
    return [sum(g * count for g, count in zip(numbers, rows)) / sum(rows) for numbers in zip(*clipped)]


def before_dividing(parts, rows, scale, limit):
    total = _clip([sum(numbers) / scale for numbers in zip(*parts)], limit)
    return _clip([g / sum(rows) for g in total], limit) if sum(rows) > 1 else total


def mean_of_means(parts, rows, scale, limit):
    means = [[g / scale / count for g in part] for part, count in zip(parts, rows)]
    return _clip([sum(numbers) / len(parts) for numbers in zip(*means)], limit)
