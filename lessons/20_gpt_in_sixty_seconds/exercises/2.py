"""The baseline that every character model should beat: counting pairs.

中文：每个字符模型都该超过的基线：数字符对。
"""


def pair_loss(train: str, new: str) -> float:
    """The mean surprise (natural logarithm) of a table of pairs at each character of `new` after its first.

    The table says for each character how likely each other one follows: how often it did in `train`, one added to every count. Characters
    are those that occur in `train`; `new` has no others.

    中文：用字符对统计表预测 new 中除第一个以外的每个字符，返回平均意外程度（自然对数）。统计表给出每个字符之后跟各个字符的概率：
    在 train 中出现的次数，每个计数都加一。字符集是 train 中出现过的字符；new 里没有别的字符。
    """
    raise NotImplementedError
