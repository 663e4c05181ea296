"""The best rate between the points of a grid.

中文：网格点之间的最佳学习率。
"""


def best_rate(rates: list[float], losses: list[float]) -> float:
    """The learning rate at which a sweep is lowest, to better than its grid; nan where the sweep does not show it.

    The rates rise by a constant factor; a loss may be nan, for a run that diverged. Take the parabola through the lowest point and its two
    neighbours, with the logarithm of the rate along and the loss up, and return the rate at its vertex. If the lowest point has no
    neighbour on one side, or one that diverged, the lowest rate may lie anywhere beyond: return nan.

    中文：返回扫描中损失最低处的学习率，要比网格更精细；扫描看不出来时返回 nan。学习率按固定倍数递增；发散的训练，损失为 nan。
    取最低点与左右两个邻点，以学习率的对数为横轴、损失为纵轴作抛物线，返回顶点处的学习率。如果最低点有一侧没有邻点，
    或者邻点发散了，真正的最低处可能在更远的地方：返回 nan。
    """
    raise NotImplementedError
