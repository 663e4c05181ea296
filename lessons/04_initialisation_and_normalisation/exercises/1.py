"""The deviation of a layer's weights that keeps the signal as strong as it was.

中文：让信号强度保持不变的权重标准差。
"""


def start_deviation(shape: tuple[int, int], slope: float) -> float:
    """shape: (out, in) of the weight matrix, as torch has it; slope: what a leaky ReLU multiplies negative numbers by (0 is ReLU)

    The layer's input has passed that activation; before it, its values were symmetric around zero with mean square 1. The layer's own
    output shall have mean square 1 as well.

    中文：shape 是权重矩阵的（输出，输入），与 torch 一致；slope 是 leaky ReLU 对负数乘上的系数（0 就是 ReLU）。
    这一层的输入已经过该激活函数，激活之前的值关于零对称、均方为 1；要让这一层的输出均方也是 1。
    """
    raise NotImplementedError
