"""Answers that are wrong, each by the name of its hint."""


def _seeds(a):
    return range(len(next(iter(a.values()))))


def _by(losses, mean):
    return min(sorted(losses), key=lambda rate: mean(losses[rate]))


def _without(losses, seed):
    return losses[_by(losses, lambda found: sum(found[:seed] + found[seed + 1 :]))][seed]


def sign(a, b):
    return [_without(b, seed) - _without(a, seed) for seed in _seeds(a)]


def same_rate(a, b):
    rate = _by(a, sum)
    return [a[rate][seed] - b[rate][seed] for seed in _seeds(a)]


def own_choice(a, b):
    return [min(found[seed] for found in a.values()) - min(found[seed] for found in b.values()) for seed in _seeds(a)]


def chosen_by_all(a, b):
    return [a[_by(a, sum)][seed] - b[_by(b, sum)][seed] for seed in _seeds(a)]


def wrong(a, b):
    mean = sum(_without(b, seed) for seed in _seeds(b)) / len(_seeds(b))
    return [_without(a, seed) - mean for seed in _seeds(a)]
