"""The noise that dropout adds to a weighted sum.

中文：dropout 给一个加权和加上的噪声。
"""


def deviation(x: list[float], w: list[float], p: float) -> float:
    """The standard deviation of sum(w * dropped(x)), where each x is zero with probability p and x / (1 - p) otherwise, independently.

    中文：sum(w * dropped(x)) 的标准差；每个 x 独立地以概率 p 变成零，否则变成 x / (1 − p)。
    """
    raise NotImplementedError
