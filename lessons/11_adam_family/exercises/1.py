"""One step of AdamW.

中文：AdamW 的一步。
"""


def adamw_step(
    w: float, gradient: float, mean: float, square: float, t: int, lr: float, decay: float, beta1: float, beta2: float, eps: float
) -> tuple[float, float, float]:
    """The weight, the mean and the square after step t (1 is the first), for a single weight.

    mean, square: the running means before the step; they started at zero, which has to be corrected for. The decay shrinks the weight as
    it was before the step.

    中文：第 t 步（从 1 数起）之后的权重、一阶矩与二阶矩，只有一个权重。mean 与 square 是这一步之前的滑动均值，
    它们从零开始，需要修正。衰减缩小的是这一步之前的权重。
    """
    raise NotImplementedError
