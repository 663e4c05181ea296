"""A fair comparison of two schedules.

中文：公平地比较两种调度。
"""


def fair_gaps(a: dict[float, list[float]], b: dict[float, list[float]]) -> list[float]:
    """The loss of a minus that of b for each seed, each schedule at a rate of its own that the seed itself has not chosen.

    a, b: for each peak rate the losses of the seeds, in the same order of seeds; infinite where a training broke

    For each seed and each schedule the rate is the one with the lowest mean loss over all *other* seeds; of equal ones the lower rate.

    中文：对每个种子，返回 a 的损失减去 b 的损失；两种调度各用自己的学习率，而且这个学习率不能由该种子自己来挑。a、b 给出每种峰值学习率下
    各个种子的损失，种子顺序相同，训练崩溃的是无穷大。对每个种子、每种调度，取在*其余*种子上平均损失最低的学习率；相同时取较低的学习率。
    """
    raise NotImplementedError
