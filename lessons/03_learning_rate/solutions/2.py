"""Count broken runs as 0, take means, and walk outwards from the best rate."""

import math


def window(accuracies: dict[float, list[float]], slack: float) -> tuple[float, float]:
    means = {rate: sum(0.0 if math.isnan(a) else a for a in found) / len(found) for rate, found in sorted(accuracies.items())}
    rates = list(means)
    best = max(rates, key=lambda rate: means[rate])
    good = [means[rate] >= means[best] - slack - 1e-12 for rate in rates]
    low = high = rates.index(best)
    while low > 0 and good[low - 1]:
        low -= 1
    while high < len(rates) - 1 and good[high + 1]:
        high += 1
    return rates[low], rates[high]
