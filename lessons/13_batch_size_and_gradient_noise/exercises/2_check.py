"""Checks the fastest batch by looking at its neighbours."""

import math

from danlu.errors import Sentence

HINTS = {
    "knee_itself": Sentence(
        "That is the noise scale, whatever a step costs. If a step's fixed cost is huge beside its rows, would you not take a bigger batch?",
        "无论一步花多少时间，你的答案都是噪声尺度。如果固定开销远大于每行的开销，你难道不会用更大的批吗？",
    ),
    "cost_alone": Sentence(
        "Your answer does not ask how noisy the gradients are. With hardly any noise, what would a bigger batch be good for?",
        "你的答案没有考虑梯度有多少噪声。如果几乎没有噪声，批再大又有什么用？",
    ),
    "upside_down": Sentence(
        "When the fixed cost of a step grows, yours takes a smaller batch and so more steps, each of which pays that cost.",
        "固定开销变大时，你反而用更小的批，步数更多，每一步都要付这笔开销。",
    ),
    "no_root": Sentence(
        "The direction is right, the size is not: try the batches around yours. Time is (1 + scale / B) * (fixed + per_row * B); multiply it out.",
        "方向对了，大小不对：试试附近的批大小。用时是 (1 + scale / B) * (fixed + per_row * B)，把它乘开看看。",
    ),
    "wrong": Sentence(
        "Half or twice your batch would be faster. Which two of the four terms depend on B, and where are they equal?",
        "批大小减半或加倍反而更快。乘开后的四项里哪两项与 B 有关？它们在哪里相等？",
    ),
}


def time(batch, scale, fixed, per_row):
    return (1 + scale / batch) * (fixed + per_row * batch)


def check(fastest_batch):
    """What each quantity must do, then the least time itself."""
    one, costly, noisy = fastest_batch(100.0, 1e-3, 1e-5), fastest_batch(100.0, 4e-3, 1e-5), fastest_batch(400.0, 1e-3, 1e-5)
    yield not (math.isclose(one, 100.0, rel_tol=1e-6) and math.isclose(costly, 100.0, rel_tol=1e-6)), "knee_itself"
    yield not math.isclose(one, noisy, rel_tol=1e-6), "cost_alone"
    yield costly > one, "upside_down"
    yield not math.isclose(costly, 4 * one, rel_tol=1e-6), "no_root"
    for given in ((100.0, 1e-3, 1e-5), (100.0, 4e-3, 1e-5), (400.0, 1e-3, 1e-5), (30.0, 2e-2, 1e-4)):
        found = fastest_batch(*given)
        yield all(time(found, *given) <= time(found * factor, *given) for factor in (0.5, 0.9, 0.99, 1.01, 1.1, 2.0)), "wrong"
