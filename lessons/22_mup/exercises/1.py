"""What muP does to each kind of layer.

中文：muP 对每一类层做什么。
"""


def scaled(kind: str, times: float) -> tuple[float, float]:
    """(start, rate): what the deviation of the start, and Adam's rate, are multiplied by in a network `times` as wide as its base.

    kind: "first" (weights from the data to the first hidden layer), "hidden" (between hidden layers), "last" (from the last hidden layer to
    the classes) or "bias". The multiples are of the usual start, whose deviation is that of 1 / sqrt(number of inputs) already, and of the
    base network's rate.

    中文：返回 (start, rate)：网络宽度是基准的 times 倍时，初始标准差与 Adam 的学习率各要乘多少。kind 取 "first"
    （从数据到第一个隐藏层的权重）、"hidden"（隐藏层之间）、"last"（最后一个隐藏层到各类别）或 "bias"。
    倍数都相对于通常的做法：通常的初始标准差本来就与
    1 / sqrt(输入个数) 成正比；学习率则相对于基准网络。
    """
    raise NotImplementedError
