"""The largest rate at which gradient descent is stable in the valley sum(c * x**2) / 2.

中文：在山谷 sum(c * x**2) / 2 里，梯度下降稳定的最大学习率。
"""


def largest_rate(curvatures: list[float]) -> float:
    """The rate up to which no axis moves away from the bottom.

    中文：不超过这个学习率，任何一个轴都不会远离谷底。
    """
    raise NotImplementedError
