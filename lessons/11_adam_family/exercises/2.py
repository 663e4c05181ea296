"""The weight decay that goes with another rate and another length of training.

中文：换了学习率和训练长度之后，权重衰减该取多少。
"""


def same_decay(lr: float, decay: float, steps: int, new_lr: float, new_steps: int) -> float:
    """The decay of AdamW with which a weight that gets no gradient ends as much smaller as it did before, exactly.

    Before: `steps` steps at the rate `lr` with `decay`. Now: `new_steps` steps at the rate `new_lr`. Both rates are constant.

    中文：求新的 AdamW 衰减，使一个得不到梯度的权重最后缩小的倍数与原来完全一样。
    原来：学习率 lr、衰减 decay，走 steps 步；现在：学习率 new_lr，走 new_steps 步。两个学习率都恒定。
    """
    raise NotImplementedError
