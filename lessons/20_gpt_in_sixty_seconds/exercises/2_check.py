"""Checks a table of pairs on texts small enough for paper."""

import math
from itertools import pairwise

from danlu.errors import Sentence

HINTS = {
    "no_smoothing": Sentence(
        "A pair that training never had must not be impossible: its surprise would be infinite, and one such pair would spoil the mean. What is added to every count?",
        "训练里没出现过的组合不能算作不可能：那样意外程度是无穷大，一个就毁掉整个平均。每个计数上要加什么？",
    ),
    "backwards": Sentence(
        "Your table says what comes before a character, not what follows it.",
        "你的表说的是一个字符前面是什么，而不是后面跟什么。",
    ),
    "joint": Sentence(
        "You divide by the number of all pairs: that is how likely a pair is. Asked is how likely the second is once the first is known.",
        "你除以了所有组合的总数：那是一个组合出现的概率。问的是已知第一个时第二个的概率。",
    ),
    "counts_new": Sentence(
        "Your table knows the text that it is tested on: it was counted as well.",
        "你的表认得用来测试的文本：它也被数进去了。",
    ),
    "log_of_mean": Sentence(
        "You average the probabilities and take the logarithm then. The loss is the mean of logarithms: one great surprise must not vanish among many easy ones.",
        "你先对概率取平均再取对数。损失是对数的平均：一次大的意外不该淹没在许多容易的字符里。",
    ),
    "bits": Sentence(
        "Right, but in bits: with the natural logarithm the unit is another.",
        "对了，但单位是比特：自然对数的单位不同。",
    ),
    "wrong": Sentence(
        "Work the texts aab and ab out on paper: after a there came one a and one b; with one added to each, b has probability 2 / 4.",
        "用文本 aab 和 ab 在纸上推一遍：a 之后出现过一次 a、一次 b；各加一之后，b 的概率是 2/4。",
    ),
}


def _loss(train, new):
    kinds = sorted(set(train))
    counts = {(a, b): 1 for a in kinds for b in kinds}
    for pair in pairwise(train):
        counts[pair] += 1
    totals = {a: sum(counts[a, b] for b in kinds) for a in kinds}
    return [math.log(totals[a] / counts[a, b]) for a, b in pairwise(new)]


def check(pair_loss):
    """Against a table counted here."""
    train, new = "the cat sat on the mat and the hat", "the man then sat on me"
    surprises = _loss(train, new)
    right, found = sum(surprises) / len(surprises), pair_loss(train, new)
    yield math.isfinite(found), "no_smoothing"
    yield not math.isclose(found, right / math.log(2)), "bits"
    yield not math.isclose(found, -math.log(sum(math.exp(-s) for s in surprises) / len(surprises))), "log_of_mean"
    both = _loss(train + new, new)
    yield not math.isclose(found, sum(both) / len(both)), "counts_new"
    mirrored = _loss(train[::-1], new[::-1])
    yield not math.isclose(found, sum(mirrored) / len(mirrored)), "backwards"
    yield found < 1.3 * right, "joint"
    yield math.isclose(found, right) and math.isclose(pair_loss("aab", "ab"), math.log(2)), "wrong"
