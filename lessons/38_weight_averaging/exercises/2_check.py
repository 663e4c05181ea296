"""Checks the error of an average by its weights."""

import math

from danlu.errors import Sentence

HINTS = {
    "never_late": Sentence(
        "Without noise yours is perfect, however fast the value moves. What is the average of a thing that runs away from it?",
        "没有噪声时，不管真值跑得多快，你的平均都毫无误差。对一个不断跑远的东西做平均，会得到什么？",
    ),
    "late_by_window": Sentence(
        "With a window of one the average is the present value and cannot be late. Yours is.",
        "窗口为一时，平均就是当前值，不可能迟到；你的却迟到了。",
    ),
    "deviation": Sentence(
        "Twice the noise gives you twice the error. A mean square: what does it do when deviations double?",
        "噪声加倍，你的误差也只加倍。均方误差在标准差加倍时会怎样？",
    ),
    "plain_average": Sentence(
        "That is the noise of a plain average over `window` values. The weights of an EMA are 1/W, (1 - 1/W)/W, ...: what is the sum of their squares?",
        "这是对 window 个值做普通平均时的噪声。EMA 的各个权重是 1/W、(1 − 1/W)/W……它们的平方和是多少？",
    ),
    "wrong": Sentence(
        "Two parts that add up: the square of how late it is, and the noise times the sum of squared weights. Check each with the other at zero.",
        "两部分相加：迟到量的平方，加上噪声乘以权重的平方和。让其中一部分为零，分别检查另一部分。",
    ),
}


def weighed(window, speed, noise):
    """By the weights themselves, over a past that is long enough."""
    decay = 1 - 1 / window
    weights = [(1 - decay) * decay**age for age in range(int(60 * window) + 60)]
    late = speed * sum(w * age for age, w in enumerate(weights))
    return late**2 + noise**2 * sum(w * w for w in weights)


def check(error_of_average):
    """Lateness alone, noise alone, both."""
    yield error_of_average(10.0, 1.0, 0.0) > 0, "never_late"
    yield abs(error_of_average(1.0, 1.0, 0.0)) < 1e-9, "late_by_window"
    yield not math.isclose(error_of_average(5.0, 0.0, 2.0), 2 * error_of_average(5.0, 0.0, 1.0)), "deviation"
    yield not math.isclose(error_of_average(5.0, 0.0, 1.0), 0.2), "plain_average"
    for window, speed, noise in ((1.0, 1.0, 2.0), (10.0, 0.0, 1.0), (10.0, 0.3, 0.0), (40.0, 0.1, 3.0)):
        yield math.isclose(error_of_average(window, speed, noise), weighed(window, speed, noise), rel_tol=1e-6), "wrong"
