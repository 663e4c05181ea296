"""The height at which a constant rate comes to rest.

中文：恒定学习率停下来的高度。
"""


def resting_loss(rate: float, curvature: float, noise: float) -> float:
    """The mean loss c x**2 / 2 after very many steps x <- x - rate * (c x + noise), with fresh noise of that deviation each step.

    中文：走了极多步之后的平均损失 c x**2 / 2，每一步是 x <- x - rate * (c x + 噪声)，每次的噪声都是新的，标准差为 noise。
    """
    raise NotImplementedError
