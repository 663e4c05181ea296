"""How far Adam moves one number in each step.

中文：Adam 每一步把一个数移动多远。
"""


def adam_moves(gradients: list[float], beta1: float, beta2: float) -> list[float]:
    """How much is subtracted from the number in each step, at a rate of one.

    gradients: the gradient of each step; the first is not zero
    beta1, beta2: how much is kept of the mean of the gradients and of that of their squares; both start at zero and are corrected for it.
    There is no eps.

    中文：学习率为一时，每一步从这个数里减去多少。gradients 是每一步的梯度，第一个不为零；beta1、beta2 是梯度的均值与平方的均值各保留多少，
    两者都从零开始，并为此做修正。没有 eps。
    """
    raise NotImplementedError
