"""Answers that are wrong, each by the name of its hint."""

import math


def _walk(rates, means, slack):
    best = max(rates, key=lambda rate: means[rate])
    low = high = rates.index(best)
    while low > 0 and means[rates[low - 1]] >= means[best] - slack - 1e-12:
        low -= 1
    while high < len(rates) - 1 and means[rates[high + 1]] >= means[best] - slack - 1e-12:
        high += 1
    return rates[low], rates[high]


def _mean(found):
    return sum(0.0 if math.isnan(a) else a for a in found) / len(found)


def nan_spreads(accuracies, slack):
    means = {rate: sum(found) / len(found) for rate, found in sorted(accuracies.items())}
    sound = {rate: mean for rate, mean in means.items() if not math.isnan(mean)}
    return _walk(list(sound), sound, slack)


def best_seed(accuracies, slack):
    means = {rate: max(0.0 if math.isnan(a) else a for a in found) for rate, found in sorted(accuracies.items())}
    return _walk(list(means), means, slack)


def gap(accuracies, slack):
    means = {rate: _mean(found) for rate, found in accuracies.items()}
    good = [rate for rate, mean in means.items() if mean >= max(means.values()) - slack - 1e-12]
    return min(good), max(good)


def unsorted(accuracies, slack):
    means = {rate: _mean(found) for rate, found in accuracies.items()}
    return _walk(list(means), means, slack)


def slack_ignored(accuracies, slack):
    means = {rate: _mean(found) for rate, found in sorted(accuracies.items())}
    return _walk(list(means), means, 0.05)
