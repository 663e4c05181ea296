"""The gradient of the mean cross-entropy with respect to the logits.

中文：平均交叉熵对 logits 的梯度。
"""

from torch import Tensor


def logits_gradient(logits: Tensor, labels: Tensor) -> Tensor:
    """logits [rows, classes] and labels [rows] (whole numbers) -> d loss / d logits, [rows, classes].

    The loss is the mean over the rows. Do not use autograd.

    中文：损失是对所有行的平均。请不要用自动求导。
    """
    raise NotImplementedError
