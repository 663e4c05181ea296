"""Bring the columns of a table to one scale.

中文：把表格的各列变到同一尺度。
"""

from torch import Tensor


def scaled(train: Tensor, test: Tensor) -> tuple[Tensor, Tensor]:
    """train [rows, columns] and test [other rows, columns] -> both, scaled.

    In the scaled train rows each column has mean 0 and standard deviation 1 (divide by n, not n - 1). The test rows are scaled as they
    will be in use, where they come one at a time. A column that is constant in train becomes 0 there.

    中文：缩放之后，训练行的每一列均值为 0、标准差为 1（除以 n，不是 n − 1）。测试行要按实际使用时的方式缩放：那时它们一行一行地来。
    在训练行里是常数的列，在那里变成 0。
    """
    raise NotImplementedError
