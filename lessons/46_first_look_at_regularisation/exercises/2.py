"""Dropout, as it is used today.

中文：今天通用的 dropout。
"""

from torch import Tensor


def dropped(x: Tensor, rate: float, draws: Tensor, training: bool) -> Tensor:
    """x with about the share `rate` of its numbers set to zero while training, and unchanged otherwise.

    draws: numbers in [0, 1), of the shape of x; a number of x is dropped where its draw is below `rate`

    The mean over many draws must be x itself, so that a network may be used as it is once it is trained. x is not changed in place.

    中文：训练时把 x 中约占 rate 的数置零，其他时候原样返回。draws 与 x 形状相同，取值在 [0, 1)；某处的 draw 小于 rate，那里就丢掉。
    对许多次抽取取平均必须等于 x，这样网络训练好之后才能直接使用。不要就地修改 x。
    """
    raise NotImplementedError
