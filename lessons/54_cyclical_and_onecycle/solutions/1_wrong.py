"""Answers that are wrong, each by the name of its hint."""

import math


def _sound(losses):
    return next((place for place, loss in enumerate(losses) if not math.isfinite(loss)), len(losses))


def _at_least(rates, smooth):
    return rates[smooth.index(min(smooth))]


def raw(rates, losses, reach):
    return _at_least(rates, losses[: _sound(losses)])


def late(rates, losses, reach):
    windows = [losses[max(place - 2 * reach, 0) : place + 1] for place in range(_sound(losses))]
    return _at_least(rates, [sum(window) / len(window) for window in windows])


def ends_fall(rates, losses, reach):
    sound = _sound(losses)
    windows = [losses[max(place - reach, 0) : min(place + reach + 1, sound)] for place in range(sound)]
    return _at_least(rates, [sum(window) / (2 * reach + 1) for window in windows])


def broken(rates, losses, reach):
    windows = [losses[max(place - reach, 0) : place + reach + 1] for place in range(len(losses))]
    finite = [[loss for loss in window if math.isfinite(loss)] for window in windows]
    return _at_least(rates, [sum(window) / len(window) for window in finite])


def wrong(rates, losses, reach):
    sound = _sound(losses)
    near = reach // 2
    windows = [losses[max(place - near, 0) : min(place + near + 1, sound)] for place in range(sound)]
    return _at_least(rates, [sum(window) / len(window) for window in windows])
