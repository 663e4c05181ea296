"""Checks a decay by letting a weight without a gradient shrink."""

import math

from danlu.errors import Sentence

HINTS = {
    "kept": Sentence(
        "You keep the decay as it was. Half the rate shrinks a weight half as much a step: what makes up for it?",
        "你保持衰减不变。学习率减半，权重每步只缩小一半那么多：拿什么补上？",
    ),
    "wrong_way": Sentence(
        "You lower the decay when the rate falls. A step shrinks a weight by lr times the decay; which way must the decay go for that to stay?",
        "学习率降低时，你把衰减也降低了。每步缩小的是 lr × decay；要让它不变，衰减该往哪边走？",
    ),
    "steps_ignored": Sentence(
        "Right as long as the number of steps stays. With twice the steps your weight shrinks twice.",
        "步数不变时是对的。步数加倍，你的权重就缩小了两遍。",
    ),
    "small_only": Sentence(
        "Nearly. Each step multiplies by 1 - lr * decay, and the factors multiply, they do not add up: with strong decay that shows.",
        "差一点。每步乘以 1 − lr·decay，这些因子是相乘的，不是相加的：衰减强的时候就看得出来。",
    ),
    "wrong": Sentence(
        "What is left before is (1 - lr * decay)**steps. Set (1 - new_lr * x)**new_steps equal to it, and solve for x.",
        "原来剩下 (1 − lr·decay)**steps。令 (1 − new_lr·x)**new_steps 与它相等，解出 x。",
    ),
}


def check(same_decay):
    """The rate alone, then the steps, then both with a strong decay."""
    half = same_decay(0.001, 0.1, 1000, 0.0005, 1000)
    yield not math.isclose(half, 0.1), "kept"
    yield not math.isclose(half, 0.05), "wrong_way"
    longer = same_decay(0.001, 0.1, 1000, 0.001, 2000)
    yield not (math.isclose(half, 0.2) and math.isclose(longer, 0.1)), "steps_ignored"
    strong = same_decay(0.01, 20.0, 100, 0.02, 300)
    yield not math.isclose(strong, 20.0 / 6), "small_only"
    for lr, decay, steps, new_lr, new_steps in (
        (0.001, 0.1, 1000, 0.0005, 1000),
        (0.001, 0.1, 1000, 0.001, 2000),
        (0.01, 20, 100, 0.02, 300),
    ):
        left = (1 - new_lr * same_decay(lr, decay, steps, new_lr, new_steps)) ** new_steps
        yield math.isclose(left, (1 - lr * decay) ** steps, rel_tol=1e-6), "wrong"
