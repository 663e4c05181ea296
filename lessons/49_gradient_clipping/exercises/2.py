"""Where descent comes to rest when every row's gradient is clipped.

中文：逐行裁剪梯度时，梯度下降停在哪里。
"""


def resting_at(rows: list[float], limit: float) -> float:
    """The w to which descent on the mean of (w - y)**2 / 2 over the rows y goes in small steps, each row's gradient clipped to +-limit.

    There the clipped gradients of all rows add up to zero. If a whole stretch of w does that, any w of it is right.

    中文：对各行 y 的 (w − y)**2 / 2 的平均做梯度下降，每行的梯度裁剪到 ±limit，小步走，最后停在哪个 w。
    在那里，各行裁剪后的梯度加起来为零；如果有一整段 w 都满足，其中任何一个都对。
    """
    raise NotImplementedError
