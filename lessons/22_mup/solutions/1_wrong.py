"""Answers that are wrong, each by the name of its hint."""


def base_changes(kind, times):
    return 1.0, 0.5 / times


def first_too(kind, times):
    return (times**-0.5 if kind == "last" else 1.0), 1 / times


def root(kind, times):
    if kind in ("hidden", "last"):
        return (times**-0.5 if kind == "last" else 1.0), times**-0.5
    return 1.0, 1.0


def start_kept(kind, times):
    return 1.0, (1 / times if kind in ("hidden", "last") else 1.0)


def hidden_start(kind, times):
    if kind in ("hidden", "last"):
        return times**-0.5, 1 / times
    return 1.0, 1.0


def wrong(kind, times):
    if kind == "last":
        return 1 / times, 1 / times
    return 1.0, (1 / times if kind == "hidden" else 1.0)
