"""Read the lowest point off a range test.

中文：从学习率范围测试里读出最低点。
"""


def lowest_rate(rates: list[float], losses: list[float], reach: int) -> float:
    """The rate at which the smoothed loss is lowest.

    rates, losses: of each step, in order; losses jitter. From the first loss that is not finite on, the test is over and counts for nothing
    reach: smoothed means the mean of a loss and of up to `reach` neighbours on each side of it; at the ends there are fewer

    中文：平滑后的损失最低处的学习率。rates、losses 按步给出，损失有抖动；从第一个不是有限数的损失起，测试就结束了，后面的都不算。
    平滑是指取一个损失与它两侧各至多 reach 个邻居的平均；在两端，邻居会少一些。
    """
    raise NotImplementedError
