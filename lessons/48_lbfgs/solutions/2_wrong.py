"""Answers that are wrong, each by the name of its hint."""


def any_fall(start, there, length, c1=1e-4, c2=0.9):
    return there[0] < start[0] and abs(there[1]) <= c2 * abs(start[1])


def short_steps(start, there, length, c1=1e-4, c2=0.9):
    return there[0] <= start[0] + c1 * length * start[1]


def too_far(start, there, length, c1=1e-4, c2=0.9):
    return there[0] <= start[0] + c1 * length * start[1] and there[1] >= c2 * start[1]


def promise_without_length(start, there, length, c1=1e-4, c2=0.9):
    return there[0] <= start[0] + c1 * start[1] and abs(there[1]) <= c2 * abs(start[1])


def wrong(start, there, length, c1=1e-4, c2=0.9):
    return there[0] >= start[0] + c1 * length * start[1] and abs(there[1]) <= c2 * abs(start[1])
