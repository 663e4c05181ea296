"""Count, add one, divide by what follows the same character, and average the logarithms."""

import math
from collections import Counter
from itertools import pairwise


def pair_loss(train: str, new: str) -> float:
    kinds, pairs, firsts = len(set(train)), Counter(pairwise(train)), Counter(train[:-1])
    surprises = [-math.log((pairs[a, b] + 1) / (firsts[a] + kinds)) for a, b in pairwise(new)]
    return sum(surprises) / len(surprises)
