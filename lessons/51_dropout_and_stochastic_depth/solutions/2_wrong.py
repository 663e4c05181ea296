"""Answers that are wrong, each by the name of its hint."""


def _with(x, branch, factors):
    return [[a + factor * b for a, b in zip(row, change)] for row, change, factor in zip(x, branch, factors)]


def drops_when_used(x, branch, uniform, p, training):
    return _with(x, branch, [(u >= p) / (1 - p) for u in uniform])


def all_or_nobody(x, branch, uniform, p, training):
    return _with(x, branch, [(uniform[0] >= p) / (1 - p) if training else 1.0 for _ in uniform])


def loses_the_sample(x, branch, uniform, p, training):
    if not training:
        return _with(x, branch, [1.0 for _ in uniform])
    return [[(a + b) * (u >= p) / (1 - p) for a, b in zip(row, change)] for row, change, u in zip(x, branch, uniform)]


def scales_everything(x, branch, uniform, p, training):
    if not training:
        return _with(x, branch, [1.0 for _ in uniform])
    rows = zip(x, branch, uniform)
    return [[(a + b) / (1 - p) if u >= p else a for a, b in zip(row, change)] for row, change, u in rows]


def not_scaled(x, branch, uniform, p, training):
    return _with(x, branch, [float(u >= p) if training else 1.0 for u in uniform])


def wrong(x, branch, uniform, p, training):
    return _with(x, branch, [(u >= p) / p if training else 1.0 for u in uniform])
