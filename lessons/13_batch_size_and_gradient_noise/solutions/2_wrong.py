"""Answers that are wrong, each by the name of its hint."""

import math


def knee_itself(scale, fixed, per_row):
    return scale


def cost_alone(scale, fixed, per_row):
    return fixed / per_row


def upside_down(scale, fixed, per_row):
    return math.sqrt(scale * per_row / fixed)


def no_root(scale, fixed, per_row):
    return scale * fixed / per_row


def wrong(scale, fixed, per_row):
    return math.sqrt(2 * scale * fixed / per_row)
