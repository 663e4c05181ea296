"""The gradient of a step from its micro-batches: added up, unscaled, divided, and clipped, in the right order.

中文：由微批得到一步的梯度：求和、除掉缩放、求平均、裁剪，按正确的顺序。
"""


def step_gradient(parts: list[list[float]], rows: list[int], scale: float, limit: float) -> list[float]:
    """The gradient that the optimiser should get.

    parts: for each micro-batch the gradient of the *sum* of its losses, multiplied by the loss scale
    rows: how many rows each micro-batch had
    scale: the loss scale
    limit: the Euclidean norm of the step's mean gradient beyond which it is made shorter

    中文：返回优化器应当得到的梯度。parts 是每个微批的损失*之和*的梯度，已乘以损失缩放 scale；rows 是每个微批的行数；
    limit 是整步平均梯度的范数上限，超过才缩短。
    """
    raise NotImplementedError
