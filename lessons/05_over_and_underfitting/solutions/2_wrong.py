"""Answers that are wrong, each by the name of its hint."""


def not_a_word(train_error, new_error, wanted):
    return "overfitting" if new_error > train_error else "underfitting"


def by_the_gap(train_error, new_error, wanted):
    return "data" if new_error - train_error > 0.05 else "bigger" if train_error > wanted else "done"


def always_data(train_error, new_error, wanted):
    return "done" if new_error <= wanted else "data"


def always_bigger(train_error, new_error, wanted):
    return "done" if new_error <= wanted else "bigger"


def train_only(train_error, new_error, wanted):
    return "done" if train_error <= wanted else "bigger"


def strictly(train_error, new_error, wanted):
    return "done" if new_error < wanted else "bigger" if train_error >= wanted else "data"
