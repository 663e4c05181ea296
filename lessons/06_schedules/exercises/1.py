"""The factor of warm-up, stable, decay.

中文：“预热—稳定—衰减”的系数。
"""


def wsd_factor(step: int, total: int, warmup: int, decay: int) -> float:
    """What the peak rate is multiplied by at `step` (0 .. total - 1).

    The first `warmup` steps climb in equal strides: step s has (s + 1) / (warmup + 1). The last `decay` steps fall in a straight line,
    of which the first still has 1 and the last has 1 / decay. In between the factor is 1. warmup + decay is at most total.

    中文：第 step 步（0 到 total − 1）时峰值学习率要乘的系数。前 warmup 步等距上升，第 s 步为 (s + 1) / (warmup + 1)；
    最后 decay 步沿直线下降，其中第一步仍为 1，最后一步为 1 / decay；中间恒为 1。warmup + decay 不超过 total。
    """
    raise NotImplementedError
