"""Answers that are wrong, each by the name of its hint."""


def unchanged(rate, decay, times):
    return rate, decay


def shrinks(rate, decay, times):
    return rate / times**2, decay


def once(rate, decay, times):
    return rate * times, decay / times


def decay_kept(rate, decay, times):
    return rate * times**2, decay


def decay_grows(rate, decay, times):
    return rate * times**2, decay * times**2


def wrong(rate, decay, times):
    return rate * times**2, decay / times
