"""Answers that are wrong, each by the name of its hint."""

import math


def nothing(rows, columns, size):
    return size


def one_side(rows, columns, size):
    return size * math.sqrt(rows)


def shorter(rows, columns, size):
    return size * math.sqrt(min(rows, columns))


def all_of_them(rows, columns, size):
    return size * math.sqrt(rows * columns)


def no_root(rows, columns, size):
    return size * max(rows, columns) / 2


def wrong(rows, columns, size):
    return size * math.sqrt(rows + columns)
