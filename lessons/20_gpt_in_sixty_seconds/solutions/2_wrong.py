"""Answers that are wrong, each by the name of its hint."""

import math
from collections import Counter
from itertools import pairwise


def _shares(train, new):
    kinds, pairs, firsts = len(set(train)), Counter(pairwise(train)), Counter(train[:-1])
    return [(pairs[a, b] + 1) / (firsts[a] + kinds) for a, b in pairwise(new)]


def _mean(shares):
    return -sum(math.log(share) if share else -math.inf for share in shares) / len(shares)


def no_smoothing(train, new):
    pairs, firsts = Counter(pairwise(train)), Counter(train[:-1])
    return _mean([pairs[a, b] / firsts[a] for a, b in pairwise(new)])


def backwards(train, new):
    return _mean(_shares(train[::-1], new[::-1]))


def joint(train, new):
    kinds, pairs = len(set(train)), Counter(pairwise(train))
    return _mean([(pairs[pair] + 1) / (len(train) - 1 + kinds**2) for pair in pairwise(new)])


def counts_new(train, new):
    return _mean(_shares(train + new, new))


def log_of_mean(train, new):
    shares = _shares(train, new)
    return -math.log(sum(shares) / len(shares))


def bits(train, new):
    return _mean(_shares(train, new)) / math.log(2)


def wrong(train, new):
    kinds, pairs, firsts = len(set(train)), Counter(pairwise(train)), Counter(train[:-1])
    return _mean([(pairs[a, b] + 1) / (firsts[a] + 1) / kinds**0.1 for a, b in pairwise(new)])
