"""Answers that are wrong, each by the name of its hint."""


def kept(decay, times):
    return decay


def wrong_way(decay, times):
    return decay ** (1 / times)


def first_order(decay, times):
    return 1 - (1 - decay) * times


def wrong(decay, times):
    return decay / times
