"""How fast momentum comes down a valley.

中文：带动量时，走下山谷有多快。
"""


def long_run_factor(rate: float, momentum: float, curvatures: list[float]) -> float:
    """What the distance from the bottom of the valley sum(c * x**2) / 2 is multiplied by a step, in the long run.

    On an axis of curvature c each position follows from the two before it:
    x[t + 1] = (1 + momentum - rate * c) * x[t] - momentum * x[t - 1].

    中文：在山谷 sum(c * x**2) / 2 里，长期来看每一步把到谷底的距离乘以多少。
    曲率为 c 的轴上，每个位置由前两个位置决定：x[t + 1] = (1 + momentum − rate * c) * x[t] − momentum * x[t − 1]。
    """
    raise NotImplementedError
