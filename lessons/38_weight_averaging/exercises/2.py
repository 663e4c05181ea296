"""How far off an average is: late, or noisy.

中文：平均错在哪里：迟到，还是嘈杂。
"""


def error_of_average(window: float, speed: float, noise: float) -> float:
    """The mean square error of an EMA of decay 1 - 1 / window in the long run.

    The true value moves on by `speed` a step; what is averaged is the true value of each step, the present one included, plus noise that is
    new in every step, of deviation `noise`. The error is the distance of the average from the present true value.

    中文：decay 为 1 − 1/window 的 EMA，长期来看的均方误差。真值每步前进 speed；被平均的是每一步（包括当前这一步）的真值加上噪声，
    噪声每步都是新的，标准差为 noise。误差指平均值与当前真值之差。
    """
    raise NotImplementedError
