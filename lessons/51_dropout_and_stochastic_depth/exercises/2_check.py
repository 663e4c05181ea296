"""Checks a block on two samples, one of which skips it."""

import math

from danlu.errors import Sentence

HINTS = {
    "drops_when_used": Sentence(
        "With training=False a sample has skipped the block. When the network is used nothing is left to chance.",
        "training=False 时还有样本跳过了这个块。使用网络时，什么都不该随机。",
    ),
    "loses_the_sample": Sentence(
        "The sample that skips the block has lost more than the branch. What should go on to the next block?",
        "跳过这个块的样本，丢掉的不只是分支。传给下一个块的应当是什么？",
    ),
    "all_or_nobody": Sentence(
        "Both samples share one draw. Each has a draw of its own.",
        "两个样本用了同一个随机数。每个样本有自己的一个。",
    ),
    "scales_everything": Sentence(
        "You made the input larger too. Only the branch is sometimes missing, so only the branch has anything to make up for.",
        "你把输入也放大了。有时缺席的只是分支，需要补偿的也只有分支。",
    ),
    "not_scaled": Sentence(
        "In training the branch is there for only some of the draws, and you add it as it is: its mean is then smaller than when it is used.",
        "训练时分支只在一部分情况下出现，你却原样相加：它的平均就比使用时小。",
    ),
    "wrong": Sentence(
        "Take p = 0.75: the branch is there once in four times. How large must it be then, for the mean to be right?",
        "取 p = 0.75：四次里分支只出现一次。要让平均正确，那一次它应当有多大？",
    ),
}


def close(found, wanted) -> bool:
    return all(math.isclose(a, b, abs_tol=1e-9) for rows in zip(found, wanted) for a, b in zip(*rows))


def check(residual):
    """Used, skipped, kept, and a high rate."""
    x, branch = [[1.0, 2.0], [3.0, 4.0]], [[0.5, -1.0], [2.0, 1.0]]
    yield close(residual(x, branch, [0.1, 0.9], 0.5, False), [[1.5, 1.0], [5.0, 5.0]]), "drops_when_used"
    found = residual(x, branch, [0.1, 0.9], 0.5, True)
    yield not (close([found[1]], [[3.0, 4.0]]) or close([residual(x, branch, [0.9, 0.1], 0.5, True)[1]], [[7.0, 6.0]])), "all_or_nobody"
    yield close([found[0]], [[1.0, 2.0]]), "loses_the_sample"
    yield not close([found[1]], [[10.0, 10.0]]), "scales_everything"
    yield not close([found[1]], [[5.0, 5.0]]), "not_scaled"
    yield close(found, [[1.0, 2.0], [7.0, 6.0]]), "wrong"
    yield close(residual(x, branch, [0.8, 0.7], 0.75, True), [[3.0, -2.0], [3.0, 4.0]]), "wrong"
