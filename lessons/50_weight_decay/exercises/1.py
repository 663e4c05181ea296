"""What decoupled decay leaves of a weight that no data use, under a schedule.

中文：在学习率调度下，解耦的权重衰减给数据用不到的权重留下多少。
"""


def share_left(rates: list[float], decay: float) -> float:
    """The weight after all steps over the weight before; rates: the learning rate of every step, decay: as in AdamW.

    中文：返回所有步之后的权重与之前的权重之比。rates 是每一步的学习率，decay 与 AdamW 中的含义相同。
    """
    raise NotImplementedError
