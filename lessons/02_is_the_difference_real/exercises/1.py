"""The t of a paired comparison.

中文：成对比较的 t 统计量。
"""


def paired_t(a: dict[int, float], b: dict[int, float]) -> float:
    """How many standard errors the mean of a - b is from zero.

    a, b: the result of each seed; a seed that only one of them has is left out. At least two seeds are common.

    中文：a − b 的平均值离零有多少个标准误。a、b 是每个种子的结果；只有一边有的种子不算，共有的种子至少两个。
    """
    raise NotImplementedError
