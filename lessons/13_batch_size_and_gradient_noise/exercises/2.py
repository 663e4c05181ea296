"""The batch with which a training is over soonest.

中文：让训练最快结束的批大小。
"""


def fastest_batch(scale: float, fixed: float, per_row: float) -> float:
    """The number of rows a step, not rounded, that makes the whole training take the least time.

    scale: the noise scale in rows; a training needs steps in proportion to 1 + scale / batch
    fixed: the seconds that a step takes whatever its size (starting kernels, exchanging gradients); above zero
    per_row: the seconds that each row adds to it; above zero

    中文：使整个训练用时最少的每步行数，不取整。scale 是噪声尺度（行），训练所需步数与 1 + scale / 批大小 成正比；
    fixed 是一步中与批大小无关的秒数（启动算子、交换梯度），大于零；per_row 是每多一行增加的秒数，大于零。
    """
    raise NotImplementedError
