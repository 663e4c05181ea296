"""The gradient that SAM hands to the optimiser.

中文：SAM 交给优化器的梯度。
"""

from collections.abc import Callable

from torch import Tensor


def sam_gradient(gradient: Callable[[list[Tensor]], list[Tensor]], weights: list[Tensor], rho: float) -> list[Tensor]:
    """The gradient at the point that lies rho uphill, measured over all weights together.

    gradient: the gradients at given weights, in their shapes. The weights that are handed in must not be changed. Where the gradient is
    zero there is no uphill: return it.

    中文：从当前权重沿上坡方向走 rho（长度按所有权重一起算），返回那里的梯度。gradient 给出任意权重处的梯度，形状与权重相同。
    不得改动传入的权重。梯度为零时没有上坡方向：直接返回它。
    """
    raise NotImplementedError
