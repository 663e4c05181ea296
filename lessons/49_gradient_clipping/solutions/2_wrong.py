"""Answers that are wrong, each by the name of its hint."""

import statistics


def mean(rows, limit):
    return statistics.fmean(rows)


def median(rows, limit):
    return statistics.median(rows)


def clipped_rows(rows, limit):
    return statistics.fmean(max(-limit, min(limit, y)) for y in rows)


def one_step(rows, limit):
    start = statistics.median(rows)
    return start - statistics.fmean(max(-limit, min(limit, start - y)) for y in rows)


def wrong(rows, limit):
    return statistics.fmean(y for y in rows if abs(y - statistics.median(rows)) <= limit)
