"""Checks a schedule step by step against danlu's own."""

import math

from danlu.errors import Sentence
from danlu.optim.schedules import WSD

HINTS = {
    "starts_at_zero": Sentence(
        "The first step has a rate of zero: it would be a step for nothing.",
        "第一步的学习率是零：这一步就白走了。",
    ),
    "no_stable": Sentence(
        "The decay has begun too early. In the stable part, well before the last `decay` steps, the factor must be 1.",
        "衰减开始得太早。在稳定段，离最后 decay 步还很远时，系数应当是 1。",
    ),
    "counts_from_the_start": Sentence(
        "In the last steps you are off, or below zero. How far the decay has come is counted from where it begins, not from step 0.",
        "最后几步不对，或者小于零。衰减走了多少，要从它开始的地方数起，不是从第 0 步。",
    ),
    "one_too_early": Sentence(
        "You are one step ahead: the first of the decaying steps has fallen already, and the last has a rate of zero.",
        "你早了一步：衰减段的第一步已经降了，最后一步的学习率成了零。",
    ),
    "no_decay": Sentence(
        "With a decay of 0 there is none, and the rate must stay up to the end.",
        "decay 为 0 就是不衰减，学习率应当一直保持到最后。",
    ),
    "wrong": Sentence(
        "Write out total = 10, warmup = 3, decay = 4: 1/4, 2/4, 3/4, 1, 1, 1, 1, 3/4, 2/4, 1/4. Which step do you have otherwise?",
        "写出 total = 10、warmup = 3、decay = 4 的全部系数：1/4、2/4、3/4、1、1、1、1、3/4、2/4、1/4。你的哪一步不同？",
    ),
}


def check(wsd_factor):
    """Ten steps by eye, then longer ones against the library."""
    ten = [wsd_factor(step, 10, 3, 4) for step in range(10)]
    yield ten[0] != 0, "starts_at_zero"
    yield ten[4] == 1 and ten[5] == 1, "no_stable"
    yield not math.isclose(ten[6], 0.75), "one_too_early"
    yield all(-1e-12 <= factor <= 1 for factor in ten) and ten[9] < ten[7] < ten[6], "counts_from_the_start"
    yield [wsd_factor(step, 5, 0, 0) for step in range(5)] == [1] * 5, "no_decay"
    for total, warmup, decay in ((10, 3, 4), (100, 10, 18), (40, 0, 40), (30, 5, 25)):
        right = WSD(warmup=warmup, decay=decay / (total - warmup), shape="linear")(total)
        yield all(math.isclose(wsd_factor(s, total, warmup, decay), right(s), abs_tol=1e-9) for s in range(total)), "wrong"
