"""The same training with longer weights.

中文：权重放大之后，怎样才是同一次训练。
"""


def same_training(rate: float, decay: float, times: float) -> tuple[float, float]:
    """(rate, decay) with which weights before a BatchNorm that are `times` as long train exactly as they did.

    A step is w <- w - rate * (gradient + decay * w). "Exactly as they did" means that the function the network computes is the same after
    every step: the weights are `times` as long each time, too.

    中文：BatchNorm 之前的权重放大 times 倍之后，用怎样的 (rate, decay) 训练，才与原来完全一样。一步是
    w <- w - rate * (梯度 + decay * w)。“完全一样”是说：每一步之后，网络所计算的函数都与原来相同，也就是权重每次都恰好是原来的 times 倍。
    """
    raise NotImplementedError
