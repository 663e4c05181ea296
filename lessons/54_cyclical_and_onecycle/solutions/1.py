"""Cut the test where it broke, take a mean over what neighbours there are, and look for the least."""

import math


def lowest_rate(rates: list[float], losses: list[float], reach: int) -> float:
    sound = next((place for place, loss in enumerate(losses) if not math.isfinite(loss)), len(losses))
    windows = [losses[max(place - reach, 0) : min(place + reach + 1, sound)] for place in range(sound)]
    smooth = [sum(window) / len(window) for window in windows]
    return rates[smooth.index(min(smooth))]
