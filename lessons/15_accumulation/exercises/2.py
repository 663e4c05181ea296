"""Statistics of the whole out of statistics of the parts.

中文：由各份的统计量得到整批的统计量。
"""


def merged(parts: list[tuple[float, float, int]]) -> tuple[float, float]:
    """parts: mean, variance (mean squared distance from that mean) and number of values of each micro-batch

    Returns mean and variance of all values together: what a BatchNorm that had seen them at once would have used.

    中文：parts 给出每份的均值、方差（到该均值距离平方的平均）和个数。
    返回所有值合在一起的均值与方差，也就是 BatchNorm 一次看到全部值时所用的统计量。
    """
    raise NotImplementedError
