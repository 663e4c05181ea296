"""A trained BatchNorm, folded into the layer before it.

中文：把训练好的 BatchNorm 并入它前面的线性层。
"""

from torch import Tensor


def folded(weight: Tensor, bias: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """(weight, bias) of the one linear layer that does what the layer and the norm behind it do in evaluation.

    The layer computes x @ weight.T + bias, with weight [units, inputs] and bias [units]. The norm subtracts the running `mean`, divides
    by the square root of the running `variance` plus eps, multiplies by `scale` and adds `shift`, all of them [units].

    中文：返回一个线性层的 (weight, bias)，它在评估时所做的，等于原来的线性层加上后面的归一化层。线性层计算 x @ weight.T + bias，
    weight 形如 [units, inputs]，bias 形如 [units]。归一化层减去滑动均值 mean，除以（滑动方差 variance 加 eps）的平方根，
    再乘 scale、加 shift，它们都形如 [units]。
    """
    raise NotImplementedError
