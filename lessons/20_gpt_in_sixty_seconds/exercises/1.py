"""From scores to the weights of causal attention.

中文：从分数得到因果注意力的权重。
"""

from torch import Tensor


def attention(scores: Tensor) -> Tensor:
    """scores [T, T] -> weights [T, T]: row i says how much place i takes from each place.

    Every row sums to 1; place i takes from itself and from the places before it, never from those after it. Weights are as
    the exponentials of the scores.

    中文：第 i 行表示位置 i 从每个位置各取多少。每行之和为 1；位置 i 只从自己和前面的位置取，绝不从后面取；权重与分数的指数成正比。
    """
    raise NotImplementedError
