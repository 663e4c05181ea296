"""Checks a deviation on sums of which every mask can be written down."""

import itertools
import math

from danlu.errors import Sentence

HINTS = {
    "variance": Sentence(
        "Twice the inputs should give twice the noise. Yours gives four times: that is the mean of squares.",
        "输入加倍，噪声也应当加倍。你的变成四倍：那是平方的平均。",
    ),
    "weights_left_out": Sentence(
        "An input that has a weight of zero cannot add noise to the sum.",
        "权重为零的输入，不可能给这个和带来噪声。",
    ),
    "not_scaled": Sentence(
        "At a rate of 0.8 the few inputs that stay are five times as large, and so is their noise. You have the noise of a mask without that.",
        "丢弃率为 0.8 时，留下的少数输入放大了五倍，噪声也一样。你算的是没有放大的掩码的噪声。",
    ),
    "added_up": Sentence(
        "You added the deviations of the inputs. They are independent: sometimes one is high and the other low. What of them adds up?",
        "你把各输入的标准差加了起来。它们彼此独立，有时一高一低。能相加的是它们的什么？",
    ),
    "wrong": Sentence(
        "One input of 1: its square has the mean (1 - p) / (1 - p)**2, and its mean is 1. What is the variance?",
        "只有一个输入 1：它平方的平均是 (1 − p)/(1 − p)**2，它的平均是 1。方差是多少？",
    ),
}


def by_masks(x, w, p) -> float:
    """Over every mask with its probability."""
    mean = square = 0.0
    for mask in itertools.product((0, 1), repeat=len(x)):
        chance = math.prod(1 - p if kept else p for kept in mask)
        total = sum(a * b * kept / (1 - p) for a, b, kept in zip(x, w, mask))
        mean, square = mean + chance * total, square + chance * total**2
    return math.sqrt(max(square - mean**2, 0.0))


def check(deviation):
    """One input, two, and more."""
    one = deviation([1.0], [1.0], 0.5)
    yield not math.isclose(deviation([2.0], [1.0], 0.5), 4 * one), "variance"
    yield math.isclose(deviation([1.0, 5.0], [1.0, 0.0], 0.5), one), "weights_left_out"
    yield not math.isclose(deviation([1.0], [1.0], 0.8), 0.4), "not_scaled"
    yield not math.isclose(deviation([1.0, 1.0], [1.0, 1.0], 0.5), 2 * one), "added_up"
    for x, w, p in (([1.0], [1.0], 0.8), ([1.0, -2.0, 0.5], [0.3, 1.0, -2.0], 0.25), ([1.0, 1.0, 3.0, 4.0], [1.0, -1.0, 0.2, 0.1], 0.5)):
        yield math.isclose(deviation(x, w, p), by_masks(x, w, p), rel_tol=1e-6), "wrong"
