"""Answers that are wrong, each by the name of its hint."""

import math


def without_the_rate(rates, decay):
    return (1 - decay) ** len(rates)


def last_rate(rates, decay):
    return (1 - rates[-1] * decay) ** len(rates)


def added_up(rates, decay):
    return 1 - sum(rates) * decay


def smooth(rates, decay):
    return math.exp(-sum(rates) * decay)


def mean_rate(rates, decay):
    return (1 - sum(rates) / len(rates) * decay) ** len(rates)
