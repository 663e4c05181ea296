"""Differences first, then their mean over its standard error."""

import math


def paired_t(a: dict[int, float], b: dict[int, float]) -> float:
    differences = [a[seed] - b[seed] for seed in a if seed in b]
    n = len(differences)
    mean = sum(differences) / n
    variance = sum((d - mean) ** 2 for d in differences) / (n - 1)
    return mean / math.sqrt(variance / n)
