"""K-FAC of one linear layer.

中文：一个线性层的 K-FAC。
"""

from torch import Tensor


def kfac_direction(inputs: Tensor, output_gradients: Tensor, slope: Tensor, damping: float) -> Tensor:
    """The K-FAC direction of the weights W [out, in] of a layer without bias that computes W x.

    inputs: x of each row [rows, in]
    output_gradients: of each row, the gradient of that row's own loss at the layer's output [rows, out]
    slope: the gradient of the mean loss by W [out, in]
    damping: added to the diagonal of each of the two factors

    中文：无偏置线性层（计算 W x）的权重 W [out, in] 的 K-FAC 方向。inputs 是每行的 x [rows, in]；
    output_gradients 是每行自己的损失对该层输出的梯度 [rows, out]；slope 是平均损失对 W 的梯度 [out, in]；
    damping 加到两个因子各自的对角线上。
    """
    raise NotImplementedError
