"""The rule of early stopping.

中文：早停的规则。
"""


def stopped(losses: list[float], patience: int) -> tuple[int, int]:
    """(the place of the weights to keep, the place at which training ends), both counted from 0.

    losses: the validation loss at each look; nan where it was none
    patience: looks in a row without an improvement that are borne; at one more, training ends there

    An improvement is a loss lower than every one before it. Where patience is never used up, training ends at the last look.

    中文：返回（要保留的权重在第几次，训练在第几次结束），都从 0 数起。losses 是每次验证的损失，nan 表示那次没有得到数；
    patience 是能容忍的连续无改善次数，再多一次就在那里结束。改善是指比之前所有的都低。耐心一直没用完，就在最后一次结束。
    """
    raise NotImplementedError
