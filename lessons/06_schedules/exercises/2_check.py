"""Checks the resting height against walking there."""

import math

from danlu.errors import Sentence

HINTS = {
    "zero": Sentence(
        "It never gets to rest at zero while there is noise: at the bottom the next step leaves it again.",
        "只要有噪声，就不会停在零：到了谷底，下一步又离开了。",
    ),
    "no_noise": Sentence(
        "Twice the noise must lift the walkers. Yours stay at the same height.",
        "噪声加倍，行走者应当升高。你的高度没有变。",
    ),
    "deviation": Sentence(
        "Twice the noise lifts you to twice the height. The loss is a square: what does noise of twice the deviation do to a mean of squares?",
        "噪声加倍，你的高度也只加倍。损失是平方：标准差加倍的噪声，会让均方变成多少？",
    ),
    "position": Sentence(
        "That is the mean of x squared, not of the loss c x**2 / 2.",
        "这是 x 平方的平均，不是损失 c x**2 / 2 的平均。",
    ),
    "small_rates_only": Sentence(
        "Right for very small rates. At a rate of 1 and a curvature of 1 a step forgets where it was and keeps only the noise: what is the mean loss then?",
        "学习率很小时是对的。学习率为 1、曲率为 1 时，一步就忘了原来在哪里，只留下噪声：这时平均损失是多少？",
    ),
    "wrong": Sentence(
        "At rest a step changes the mean of x**2 no more: v = (1 - rate c)**2 v + rate**2 noise**2. Solve for v, then take c v / 2.",
        "停下来之后，一步不再改变 x**2 的平均：v = (1 − rate·c)**2·v + rate**2·noise**2。解出 v，再取 c·v/2。",
    ),
}


def walked(rate, curvature, noise):
    """By the recursion, for long enough."""
    square = 0.0
    for _ in range(20_000):
        square = (1 - rate * curvature) ** 2 * square + rate**2 * noise**2
    return curvature * square / 2


def check(resting_loss):
    """Noise, then the rate, then everything."""
    small = resting_loss(0.01, 1.0, 1.0)
    yield small > 1e-9, "zero"
    yield not math.isclose(resting_loss(0.01, 1.0, 2.0), small), "no_noise"
    yield not math.isclose(resting_loss(0.01, 1.0, 2.0), 2 * small), "deviation"
    yield not math.isclose(resting_loss(0.1, 3.0, 1.0), 2 / 3 * walked(0.1, 3.0, 1.0)), "position"
    yield (
        not (math.isclose(small, walked(0.01, 1.0, 1.0), rel_tol=0.02) and not math.isclose(resting_loss(1.0, 1.0, 1.0), 0.5)),
        ("small_rates_only"),
    )
    for rate, curvature, noise in ((0.01, 1.0, 1.0), (1.0, 1.0, 1.0), (0.1, 3.0, 0.5), (1.5, 1.0, 2.0)):
        yield math.isclose(resting_loss(rate, curvature, noise), walked(rate, curvature, noise), rel_tol=1e-6), "wrong"
