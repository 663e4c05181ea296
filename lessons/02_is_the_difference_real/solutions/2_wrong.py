"""Answers that are wrong, each by the name of its hint."""


def absence(low, high, effect):
    return "no" if low <= 0 else "yes" if low >= effect else "open"


def any_gain(low, high, effect):
    return "yes" if low > 0 else "no" if high < effect else "open"


def middle(low, high, effect):
    if low > 0 or high < 0:
        return "yes" if low >= effect else "no" if high < effect else "open"
    return "yes" if (low + high) / 2 >= effect else "open" if low + high > 0 else "no"


def harm_only(low, high, effect):
    return "yes" if low >= effect else "no" if high < 0 else "open"


def wrong(low, high, effect):
    return "yes" if high >= effect and low > effect / 3 and high - low < 0.02 else "no" if high < effect else "open"
