"""Answers that are wrong, each by the name of its hint."""

import math


def _noise(few, small, many, large):
    return (small - large) / (1 / few - 1 / many)


def upside_down(few, small, many, large):
    noise = _noise(few, small, many, large)
    return (large - noise / many) / noise


def negative(few, small, many, large):
    noise = (large - small) / (1 / few - 1 / many)
    return noise / (large + noise / many)


def large_is_no_signal(few, small, many, large):
    return _noise(few, small, many, large) / large


def noise_of_a_batch(few, small, many, large):
    noise = _noise(few, small, many, large)
    return noise / few / (large - noise / many)


def wrong(few, small, many, large):
    noise = _noise(few, small, many, large)
    return noise / math.sqrt(large - noise / many)
