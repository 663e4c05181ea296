"""The update of gradient descent.

中文：梯度下降的更新。
"""

from torch import Tensor


def updated(weights: list[Tensor], gradients: list[Tensor], rate: float) -> list[Tensor]:
    """The weights after one step, as new tensors; what came in stays as it was.

    中文：返回走完一步之后的权重（新的张量），传入的张量保持不变。
    """
    raise NotImplementedError
