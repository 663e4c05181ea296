"""Checks a scaled decay by what is left of the past after the same rows."""

import math

from danlu.errors import Sentence

HINTS = {
    "kept": Sentence(
        "With four times the rows a step you keep the decay. How many rows does the average reach back now?",
        "每步的行数变成四倍，decay 却没变。现在平均往回看多少行？",
    ),
    "wrong_way": Sentence(
        "A step with more rows is a longer stretch of training, and you forget less in it than before.",
        "行数更多的一步，相当于走了更长一段训练；而你在这一步里忘得比原来少。",
    ),
    "first_order": Sentence(
        "Close for small changes; but with 0.9 and sixteen times the rows you are below zero. What is left after sixteen steps of 0.9?",
        "变化小时差不多；但 0.9 配上十六倍的行数，结果小于零。走十六步 0.9，还剩多少？",
    ),
    "wrong": Sentence(
        "After one step a share `decay` is left, after two steps that share of that share. And after `times` steps?",
        "一步之后剩下 decay，两步之后是“剩下的再剩下 decay”。times 步之后呢？",
    ),
}


def check(scaled_decay):
    """The direction, the range, then the law."""
    yield not math.isclose(scaled_decay(0.99, 4.0), 0.99), "kept"
    yield scaled_decay(0.99, 4.0) < 0.99, "wrong_way"
    yield scaled_decay(0.9, 16.0) > 0, "first_order"
    for decay, times in ((0.99, 4.0), (0.9, 16.0), (0.999, 0.5), (0.95, 1.0)):
        fine = coarse = 1.0  # what is left of the first weights
        for _ in range(32):
            fine *= decay
        for _ in range(round(32 / times)):
            coarse *= scaled_decay(decay, times)
        yield math.isclose(fine, coarse, rel_tol=1e-9), "wrong"
