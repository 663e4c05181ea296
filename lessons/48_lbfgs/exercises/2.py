"""The strong Wolfe conditions.

中文：强 Wolfe 条件。
"""


def accepts(start: tuple[float, float], there: tuple[float, float], length: float, c1: float = 1e-4, c2: float = 0.9) -> bool:
    """Whether a strong Wolfe line search stops at this length.

    start, there: the loss and the slope along the direction, at length 0 and at `length`; the slope at the start is negative. The loss must
    have fallen by at least c1 of what the slope at the start promised for this length, and the slope must have lost its steepness: its size
    is at most c2 times that at the start.

    中文：强 Wolfe 线搜索是否停在这个步长。start 与 there 分别是步长为 0 和 length 处的损失与沿方向的斜率，起点的斜率为负。
    损失的下降至少要达到起点斜率为这一步长所许诺的 c1 倍；斜率要变缓，它的大小不超过起点的 c2 倍。
    """
    raise NotImplementedError
