"""Checks merged statistics against those of all the values."""

import math

from danlu.errors import Sentence

HINTS = {
    "unweighted": Sentence(
        "A part of one value has moved the mean as far as a part of nine. Each should weigh by how many values it has.",
        "只有一个值的一份，对均值的影响与九个值的一样大。每份应当按个数来加权。",
    ),
    "between_lost": Sentence(
        "Take two parts, all zeros and all ones: each has variance 0, and together they do not. What have the distances between the parts' means to do with it?",
        "取两份，一份全是零，一份全是一：各自的方差都是 0，合起来却不是。各份均值之间的距离起什么作用？",
    ),
    "deviations": Sentence(
        "You have merged the deviations. It is the squares that add up.",
        "你合并的是标准差。能相加的是平方。",
    ),
    "negative": Sentence(
        "With values around a hundred million the variance comes out wrong or negative: it is the small difference of two huge squares. Take distances from the merged mean instead.",
        "值在一亿左右时，方差算错了，甚至成了负数：它是两个巨大平方之间的微小差值。请改用到总均值的距离。",
    ),
    "unbiased": Sentence(
        "Slightly too large: the variance here divides by the number of values, as BatchNorm does when it normalises.",
        "稍微偏大：这里的方差除以个数，BatchNorm 归一化时就是这样。",
    ),
    "wrong": Sentence(
        "Values 1, 3 and 5 in two parts, (2, 1, 2) and (5, 0, 1): together mean 3 and variance 8 / 3.",
        "值 1、3、5 分成两份，(2, 1, 2) 与 (5, 0, 1)：合起来均值是 3，方差是 8/3。",
    ),
}


def described(values):
    mean = sum(values) / len(values)
    return mean, sum((v - mean) ** 2 for v in values) / len(values), len(values)


def check(merged):
    """Uneven parts; parts without a spread; large values."""
    parts = [[0.0], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]]
    mean, variance = merged([described(part) for part in parts])
    yield math.isclose(mean, 4.5), "unweighted"
    yield merged([(0.0, 0.0, 4), (1.0, 0.0, 4)])[1] > 0.1, "between_lost"
    same = merged([(0.0, 1.0, 4), (0.0, 9.0, 4)])[1]
    yield not (math.isclose(same, 4.0) or math.isclose(same, 2.0)), "deviations"
    yield not math.isclose(variance, 8.25 * 10 / 9), "unbiased"
    far = [described([1e8 + v for v in part]) for part in parts]
    yield math.isclose(merged(far)[1], 8.25, rel_tol=1e-6), "negative" if math.isclose(variance, 8.25) else "wrong"
    for split in ([[1.0, 3.0], [5.0]], parts, [[2.0, 2.0], [4.0], [-1.0, 0.5, 3.0]]):
        right = described([v for part in split for v in part])[:2]
        found = merged([described(part) for part in split])
        yield all(math.isclose(a, b, rel_tol=1e-9) for a, b in zip(found, right)), "wrong"
