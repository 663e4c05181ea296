"""The shortest warm-up that never asks for more than the network bears.

中文：在任何一步都不超过网络承受力的最短预热。
"""


def shortest_warmup(limits: list[float], peak: float) -> int:
    """The smallest number of warm-up steps with which the rate is at or below the limit at every step.

    limits: the highest rate that the network bears at each step, two divided by its largest curvature then; take it as given, whatever
    the warm-up
    peak: the rate after the warm-up

    With a linear warm-up of W steps, step s (from 0) has peak * (s + 1) / (W + 1) while s < W, and the peak from then on. -1 if no
    W up to len(limits) - 1 will do.

    中文：返回最少的预热步数，使每一步的学习率都不超过上限。limits 是网络在每一步能承受的最高学习率（2 除以当时的最大曲率），
    假定它与如何预热无关；peak 是预热之后的学习率。线性预热 W 步时，第 s 步（从 0 数起）在 s < W 时的学习率是 peak * (s + 1) / (W + 1)，
    之后为 peak。如果 W 取到 len(limits) − 1 都不行，返回 −1。
    """
    raise NotImplementedError
