"""Checks the rule on losses whose answer can be seen by eye."""

from danlu.errors import Sentence

HINTS = {
    "keeps_last": Sentence(
        "You keep the weights of where training ended. By then it had got worse for a while: that is why it ended.",
        "你保留的是训练结束处的权重。那时它已经变差了一阵子：正因如此才结束的。",
    ),
    "not_patient": Sentence(
        "You end one look too early. With a patience of 2 two looks without an improvement are borne, and the third ends it.",
        "你早了一次就结束。耐心为 2 表示两次没有改善都能忍，第三次才结束。",
    ),
    "beside_last": Sentence(
        "You compare a loss with the one before it. A loss that falls after a rise may still be far above the best: is that an improvement?",
        "你拿损失跟前一次比。升上去之后又降下来的损失，可能仍远高于最好的那次：这算改善吗？",
    ),
    "never_resets": Sentence(
        "You count all looks without an improvement. After an improvement the waiting begins anew.",
        "你把没有改善的次数一直累计了下去。每次改善之后，等待要重新开始。",
    ),
    "lowest_of_all": Sentence(
        "The lowest loss of the list came after training had ended. In a real run nobody would ever have seen it.",
        "列表里最低的损失出现在训练结束之后。真实训练里，没有人会看到它。",
    ),
    "nan_is_best": Sentence(
        "A nan has been kept, or has stood in the way of everything after it. A comparison with nan is always false: it is no improvement, and no measure either.",
        "nan 被保留下来了，或者挡住了后面的一切。与 nan 比较永远为假：它不算改善，也不能当作标准。",
    ),
}

nan = float("nan")


def check(stopped):
    """Each list has one trap."""
    kept, ended = stopped([5.0, 4.0, 3.0, 3.5, 3.6, 3.7, 3.8], 2)
    yield kept != ended, "keeps_last"
    yield ended != 4, "not_patient"
    yield (kept, ended) == (2, 5), "lowest_of_all"
    yield stopped([5.0, 4.0, 3.0, 3.5, 3.6, 3.7, 1.0], 2) == (2, 5), "lowest_of_all"
    yield stopped([5.0, 2.0, 4.0, 3.0, 3.9, 3.8, 3.7], 2) == (1, 4), "beside_last"
    yield stopped([5.0, 5.1, 4.0, 4.1, 3.0, 3.1, 2.0], 1) == (6, 6), "never_resets"
    yield stopped([nan, 4.0, 3.0, nan, 2.0, 2.5], 2) == (4, 5), "nan_is_best"
