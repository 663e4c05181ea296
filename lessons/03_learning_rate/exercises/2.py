"""Read the window of good rates off a sweep.

中文：从学习率扫描的结果里读出可用范围。
"""


def window(accuracies: dict[float, list[float]], slack: float) -> tuple[float, float]:
    """The lowest and the highest rate of the window.

    accuracies: for each rate the accuracy of each seed; nan where a run broke, which counts as 0
    slack: how far below the best mean accuracy a rate of the window may be

    The window holds the rate with the best mean and has no gap: every rate of the sweep between its ends belongs to it.

    中文：返回可用范围的下限和上限。accuracies 给出每个学习率下各个种子的准确率，崩溃的训练是 nan，按 0 算；
    slack 是允许比最好的平均准确率低多少。范围必须包含平均准确率最高的学习率，中间不能断开。
    """
    raise NotImplementedError
