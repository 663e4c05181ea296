"""The direction of L-BFGS without any matrix.

中文：不用任何矩阵，求 L-BFGS 的方向。
"""

from torch import Tensor


def lbfgs_direction(slope: Tensor, moves: list[Tensor], changes: list[Tensor]) -> Tensor:
    """The direction -H slope, where H is what BFGS makes of the pairs.

    moves, changes: the last steps s and the changes of the slope y along them, oldest first. BFGS begins with H = gamma I, where
    gamma = s.y / y.y of the newest pair (1 if there is none), and takes in the pairs from the oldest to the newest:
    H <- (I - s y' / (y's)) H (I - y s' / (y's)) + s s' / (y's).

    中文：返回方向 -H slope，其中 H 由 BFGS 根据各对 (s, y) 构造。moves 与 changes 是最近几步的位移 s 和斜率的变化 y，最旧的在前。
    BFGS 从 H = gamma I 开始，gamma 取最新一对的 s·y / y·y（没有时取 1），再从最旧到最新逐对更新，公式如上。
    """
    raise NotImplementedError
