"""The effective rate of SGD with momentum.

中文：带动量的 SGD 的有效学习率。
"""


def effective_rate(lr: float, momentum: float, dampening: float) -> float:
    """How far a step goes in the long run, per unit of a gradient that stays the same.

    A step is  v <- momentum * v + (1 - dampening) * gradient,  w <- w - lr * v.

    中文：梯度始终不变时，长期来看一步走多远（以梯度为单位）。
    一步是 v <- momentum * v + (1 - dampening) * gradient，w <- w - lr * v。
    """
    raise NotImplementedError
