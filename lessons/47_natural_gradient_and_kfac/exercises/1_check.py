"""Checks both natural gradients of the coin against sums over its two sides."""

import math

from danlu.errors import Sentence

HINTS = {
    "plain": Sentence(
        "These are the plain gradients. Nothing has been divided yet: how much does the log-likelihood tell about the parameter?",
        "这是普通梯度，还没有除以任何东西：对数似然里关于参数的信息有多少？",
    ),
    "multiplied": Sentence(
        "You are multiplying by the Fisher information. Where the coin says a lot about the parameter, should a step be longer or shorter?",
        "你乘上了费舍尔信息。数据对参数很敏感的地方，步子应当更长还是更短？",
    ),
    "of_the_data": Sentence(
        "You average over the throws that were seen. That is the empirical Fisher, another number wherever the model does not fit yet. Whose throws does the definition take?",
        "你是对看到的抛掷取平均，那是“经验费舍尔”，在模型还没拟合好的地方是另一个数。定义里抛的是哪枚硬币？",
    ),
    "same_information": Sentence(
        "You use one Fisher information for both. It belongs to the parameter: what happens to a squared derivative when p is written as a function of z?",
        "两种参数你用了同一个费舍尔信息。它是跟着参数走的：把 p 写成 z 的函数之后，导数的平方会怎样变？",
    ),
    "wrong": Sentence(
        "A small step along each must change p by the same amount: dp = p (1 - p) dz. Do yours?",
        "沿两者各走一小步，p 的变化应当相同：dp = p (1 − p) dz。你的相同吗？",
    ),
}


def _plain(p, seen):
    by_p = -seen / p + (1 - seen) / (1 - p)
    return by_p, by_p * p * (1 - p)


def _information(p, share):
    """The mean squares of the derivatives over throws of which `share` are heads."""
    by_p = share / p**2 + (1 - share) / (1 - p) ** 2
    return by_p, by_p * (p * (1 - p)) ** 2


def _close(a, b):
    return all(math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-12) for x, y in zip(a, b))


def check(natural_gradients):
    """One coin, then others."""
    p, seen = 0.2, 0.7
    found, plain, own, empirical = natural_gradients(p, seen), _plain(p, seen), _information(p, p), _information(p, seen)
    yield not _close(found, plain), "plain"
    yield not _close(found, [g * f for g, f in zip(plain, own)]), "multiplied"
    yield not _close(found, [g / f for g, f in zip(plain, empirical)]), "of_the_data"
    yield not any(_close(found, [g / f for g in plain]) for f in own), "same_information"
    for p, seen in ((0.2, 0.7), (0.5, 0.5), (0.9, 0.1), (0.01, 0.02)):
        right = [g / f for g, f in zip(_plain(p, seen), _information(p, p))]
        yield _close(natural_gradients(p, seen), right), "wrong"
