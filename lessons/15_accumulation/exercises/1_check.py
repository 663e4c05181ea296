"""Checks the loss of a step, also with parts in which nothing counts."""

import math

from danlu.errors import Sentence

HINTS = {
    "mean_of_means": Sentence(
        "A part with one character weighs as much as one with a hundred. Which sum did each mean come from?",
        "只有一个字符的一份，分量与一百个字符的一样重。每个平均值是由多大的和得来的？",
    ),
    "sum_of_means": Sentence(
        "With more parts of the same kind the loss of a step must not grow.",
        "同样的份数多一些，一步的损失不应变大。",
    ),
    "not_a_number": Sentence(
        "In a part of nothing but padding the mean is 0 / 0, which is no number, and one such part has spoilt the step. It should weigh nothing.",
        "整份都是填充时，平均值是 0/0，不是数，而这样的一份毁了整步。它本该毫无分量。",
    ),
    "empty_step": Sentence(
        "When nothing in the step counts, its loss is 0, and not an error.",
        "一步里什么都不计入时，损失是 0，不是出错。",
    ),
    "counts_empty_parts": Sentence(
        "A part in which nothing counts has changed the result.",
        "一份什么都不计入，却改变了结果。",
    ),
    "wrong": Sentence(
        "Two parts, 2.0 over 3 characters and 4.0 over 1: the four characters have 6 + 4 together. What is their mean?",
        "两份，一份 3 个字符平均 2.0，一份 1 个字符 4.0：四个字符一共 6 + 4。平均是多少？",
    ),
}

nan = float("nan")


def check(step_loss):
    """Equal parts, uneven ones, empty ones."""
    yield math.isclose(step_loss([(2.0, 5)] * 4), step_loss([(2.0, 5)] * 2)), "sum_of_means"
    yield not math.isclose(step_loss([(1.0, 1), (3.0, 99)]), 2.0), "mean_of_means"
    yield math.isfinite(step_loss([(2.0, 3), (nan, 0)])), "not_a_number"
    yield math.isclose(step_loss([(2.0, 3), (nan, 0)]), step_loss([(2.0, 3)])), "counts_empty_parts"
    yield step_loss([(nan, 0), (nan, 0)]) == 0, "empty_step"
    yield math.isclose(step_loss([(2.0, 3), (4.0, 1)]), 2.5), "wrong"
    yield math.isclose(step_loss([(1.0, 10), (5.0, 2), (2.0, 4)]), 28 / 16), "wrong"
