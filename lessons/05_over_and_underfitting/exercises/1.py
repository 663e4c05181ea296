"""What will the error be with more rows?

中文：数据更多时，误差会是多少？
"""


def foretold(sizes: list[int], errors: list[float], size: int) -> float:
    """The error at `size` rows, by the power law a * size ** -b that fits the measured ones.

    The law is the straight line through the logarithms of the errors over the logarithms of the sizes, by least squares over all points.

    中文：用实测点拟合幂律 a * size ** -b，返回 size 行时的误差。拟合方法：误差取对数、规模取对数，用最小二乘法过所有点作直线。
    """
    raise NotImplementedError
