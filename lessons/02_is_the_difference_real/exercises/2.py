"""What an interval allows you to say.

中文：一个区间允许你说什么。
"""


def conclusion(low: float, high: float, effect: float) -> str:
    """Does the new setting gain at least `effect`: "yes", "no" or "open"?

    low, high: the interval of the mean gain, new minus old; effect: the smallest gain that would matter, above zero

    "yes": every value in the interval is such a gain; "no": none is; "open": the interval holds both.

    中文：新设置至少提高 effect 吗？返回 "yes"、"no" 或 "open"。
    low 到 high 是平均提高量（新减旧）的区间；effect 是值得在意的最小提高量，大于零。
    区间里每个值都够大，答 "yes"；没有一个够大，答 "no"；两种都有，答 "open"。
    """
    raise NotImplementedError
