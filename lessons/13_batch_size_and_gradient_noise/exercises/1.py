"""The gradient noise scale from the lengths of gradients over few and over many rows.

中文：由少量行与大量行的梯度长度求梯度噪声尺度。
"""


def noise_scale(few: int, small: float, many: int, large: float) -> float:
    """How many rows a batch must have before its gradient is as much signal as noise.

    small: the mean squared length of gradients that are each a mean over `few` rows
    large: the same for gradients over `many` rows, drawn like the others; many is more than few, and not all the rows there are

    The squared length of a mean gradient over B rows is, on average, |G|**2 + S / B. The scale is S / |G|**2.

    中文：一批要有多少行，它的梯度里信号和噪声才一样多。small 是每次取 few 行求平均梯度、其长度平方的平均；large 是取 many 行时的同一个量，
    抽取方式相同；many 大于 few，但还不是全部数据。B 行的平均梯度，其长度平方的期望是 |G|**2 + S / B；所求的尺度是 S / |G|**2。
    """
    raise NotImplementedError
