"""Checks a start by its closed form, in cases that tell the usual mistakes apart."""

import math

from danlu.errors import Sentence

HINTS = {
    "fan_out": Sentence(
        "You counted the outputs. One output sums over the inputs, and it is the number of terms in that sum that makes it large.",
        "你数的是输出的个数。每个输出是对输入求和，让它变大的是这个和有多少项。",
    ),
    "no_root": Sentence(
        "That is a variance. The question was for the deviation, in the units of the weights themselves.",
        "这是方差。问的是标准差，与权重本身同一个单位。",
    ),
    "forgets_kink": Sentence(
        "This keeps a signal that arrives whole. How much of the mean square does a ReLU take away from values that are symmetric around zero?",
        "如果信号完整到达，这样就能保持不变。可是值关于零对称时，ReLU 拿走了多少均方？",
    ),
    "slope_not_squared": Sentence(
        "For a slope of 1 nothing is taken away, and there you are right; at 0 too. In between you are off: what is the mean *square* of half the values times the slope?",
        "slope 为 1 时什么也没拿走，你对了；为 0 时也对。中间却不对：一半的值乘上 slope，*均方*变成多少？",
    ),
    "ignores_slope": Sentence(
        "With a slope of 1 the activation does nothing at all, and your answer still makes up for a ReLU.",
        "slope 为 1 时激活函数什么也不做，你的答案却还在补偿 ReLU。",
    ),
    "wrong": Sentence(
        "One output has the mean square (inputs) x (variance of a weight) x (mean square of an input). Set it to 1.",
        "一个输出的均方 =（输入个数）×（权重方差）×（输入的均方）。令它等于 1。",
    ),
}


def check(start_deviation):
    """ReLU, then no kink at all, then something in between."""
    relu = start_deviation((10, 50), 0.0)
    yield not math.isclose(relu, math.sqrt(2 / 10)), "fan_out"
    yield not math.isclose(relu, 2 / 50), "no_root"
    yield not math.isclose(relu, math.sqrt(1 / 50)), "forgets_kink"
    whole = start_deviation((10, 50), 1.0)
    yield not math.isclose(whole, relu), "ignores_slope"
    half = start_deviation((10, 50), 0.5)
    yield not (math.isclose(whole, math.sqrt(1 / 50)) and math.isclose(half, math.sqrt(2 / 1.5 / 50))), "slope_not_squared"
    for shape, slope in (((10, 50), 0.0), ((10, 50), 1.0), ((10, 50), 0.5), ((300, 7), 0.01)):
        yield math.isclose(start_deviation(shape, slope), math.sqrt(2 / (1 + slope**2) / shape[1]), rel_tol=1e-9), "wrong"
