"""Answers that are wrong, each by the name of its hint."""

import math

import numpy as np


def no_logs(sizes, errors, size):
    return float(np.polyval(np.polyfit(sizes, errors, 1), size))


def only_sizes(sizes, errors, size):
    return float(np.polyval(np.polyfit(np.log(sizes), errors, 1), math.log(size)))


def left_as_log(sizes, errors, size):
    return float(np.polyval(np.polyfit(np.log(sizes), np.log(errors), 1), math.log(size)))


def ends_only(sizes, errors, size):
    slope = math.log(errors[-1] / errors[0]) / math.log(sizes[-1] / sizes[0])
    return errors[-1] * (size / sizes[-1]) ** slope


def nearest(sizes, errors, size):
    return errors[min(range(len(sizes)), key=lambda place: abs(sizes[place] - size))]


def wrong(sizes, errors, size):
    return float(np.exp(np.polyval(np.polyfit(sizes, np.log(errors), 1), size)))
