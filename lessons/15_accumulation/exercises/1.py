"""The loss of a step out of what its parts found.

中文：由各份的结果算出一步的损失。
"""


def step_loss(parts: list[tuple[float, int]]) -> float:
    """parts: for each micro-batch the *mean* loss of what counts in it, and how many count (0 when everything in it is padding)

    Returns the mean loss over all that count in the step. When nothing counts at all, the loss is 0.

    中文：parts 给出每份里计入损失的元素的*平均*损失，以及计入的个数（整份都是填充时为 0）。
    返回这一步里所有计入元素的平均损失；一个都不计入时，损失为 0。
    """
    raise NotImplementedError
