"""Checks the share on schedules short enough to work out by hand."""

import math

from danlu.errors import Sentence

HINTS = {
    "without_the_rate": Sentence(
        "Yours does not mind how high the rate is. Decoupled means: not through the gradient; it is still multiplied by the rate.",
        "你的结果与学习率高低无关。解耦的意思是不经过梯度，但仍然要乘学习率。",
    ),
    "last_rate": Sentence(
        "These two schedules differ in their first step alone, and you say the same of both.",
        "这两种调度只有第一步不同，你给出的结果却一样。",
    ),
    "added_up": Sentence(
        "You took the same piece away each time. In each step a share goes of what is left by then; with many steps yours falls below zero.",
        "你每次都减去同样一块。每一步减掉的是当时还剩下的那部分的一个比例；步数多了，你的结果会小于零。",
    ),
    "mean_rate": Sentence(
        "With the mean rate in every step the result is close but not this one. Multiply what each step leaves.",
        "每一步都用平均学习率，结果接近，但不是这一个。请把每一步剩下的比例乘起来。",
    ),
    "smooth": Sentence(
        "The exponential is what many small steps come to. A single step with a rate times decay of a half leaves exactly a half.",
        "指数是许多小步的极限。只走一步、学习率乘衰减为二分之一时，剩下的恰好是一半。",
    ),
}


def check(share_left):
    """Rate, order, many steps, and exactly."""
    yield not math.isclose(share_left([0.1], 0.5), share_left([0.2], 0.5)), "without_the_rate"
    yield not math.isclose(share_left([0.3, 0.1], 1.0), share_left([0.1, 0.1], 1.0)), "last_rate"
    yield share_left([0.1] * 30, 1.0) > 0.01, "added_up"
    yield not math.isclose(share_left([0.5], 1.0), math.exp(-0.5)), "smooth"
    yield math.isclose(share_left([0.8, 0.2], 1.0), 0.16) and math.isclose(share_left([0.1] * 30, 1.0), 0.9**30), "mean_rate"
