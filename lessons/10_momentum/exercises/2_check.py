"""Checks a factor against the eigenvalues of a step."""

import math

import numpy as np

from danlu.errors import Sentence

HINTS = {
    "plain": Sentence(
        "That is what descent without momentum does. Try x[t] = z ** t in the recursion: which z can be?",
        "这是没有动量时的结果。把 x[t] = z ** t 代入递推：z 可以取哪些值？",
    ),
    "effective": Sentence(
        "You treat momentum as nothing but a larger rate. On a steep axis it is not: the position swings there, and momentum takes part in the swing.",
        "你把动量仅仅当成更大的学习率。在陡的轴上不是这样：位置在那里来回摆动，动量也参与其中。",
    ),
    "real_part": Sentence(
        "Where the root is of a negative number, z is complex, and you have kept its real part alone. How long is z?",
        "根号下是负数时，z 是复数，而你只留下了实部。z 的模是多少？",
    ),
    "always_root": Sentence(
        "That holds only where the position swings. With a momentum of 0, for one, you say that one step is enough.",
        "这只在位置来回摆动时成立。比如动量为 0 时，你说一步就够了。",
    ),
    "signed": Sentence(
        "A factor of -0.8 is slower than one of -0.25: it is the size that counts.",
        "因子 -0.8 比 -0.25 更慢：要紧的是大小。",
    ),
    "steepest": Sentence(
        "You look at the steepest axis alone, and there may be a flat one that lags behind.",
        "你只看了最陡的轴，也许有一个平缓的轴落在后面。",
    ),
    "flattest": Sentence(
        "You look at the flattest axis alone, and at a high rate a steep one may be slower.",
        "你只看了最平缓的轴，学习率高时，陡的轴可能更慢。",
    ),
    "wrong": Sentence(
        "Each axis has two z, the solutions of z**2 - (1 + momentum - rate * c) * z + momentum = 0. The longest of all decides.",
        "每个轴有两个 z，它们是 z**2 − (1 + momentum − rate·c)·z + momentum = 0 的解。所有 z 中模最大的说了算。",
    ),
}


def right(rate, momentum, curvatures):
    steps = [np.array([[1 + momentum - rate * c, -momentum], [1.0, 0.0]]) for c in curvatures]
    return max(float(np.abs(np.linalg.eigvals(step)).max()) for step in steps)


def check(long_run_factor):
    """One axis that swings, one that jumps, then several."""
    swinging = long_run_factor(0.2, 0.9, [1.0])
    yield not math.isclose(swinging, 0.8), "plain"
    yield not math.isclose(swinging, 1.0), "effective"
    yield not math.isclose(swinging, 0.85), "real_part"
    yield not math.isclose(long_run_factor(0.3, 0.0, [1.0]), 0.0, abs_tol=1e-9), "always_root"
    yield not math.isclose(long_run_factor(3.0, 0.2, [0.75]), -0.25), "signed"
    yield not math.isclose(long_run_factor(0.1, 0.5, [0.1, 5.0]), 0.5**0.5), "steepest"
    yield not math.isclose(long_run_factor(3.0, 0.2, [0.3, 0.75]), 0.2**0.5), "flattest"
    for setting in ((0.2, 0.9, [1.0]), (0.3, 0.0, [1.0, 2.0]), (0.1, 0.5, [5.0, 0.1]), (3.0, 0.2, [0.3, 0.75]), (3.5, 0.9, [1.0, 0.01])):
        yield math.isclose(long_run_factor(*setting), right(*setting), rel_tol=1e-6), "wrong"
