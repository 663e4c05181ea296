"""The natural gradient of a coin, in two parametrisations.

中文：一枚硬币的自然梯度，用两种参数来写。
"""


def natural_gradients(p: float, seen: float) -> tuple[float, float]:
    """The natural gradient of the mean negative log-likelihood, by p and by the logit z with p = 1 / (1 + exp(-z)).

    The coin shows heads with probability p; of many throws a share `seen` were heads. The natural gradient is the gradient divided by the
    Fisher information, the mean square of the derivative of the log-likelihood over throws of the coin itself.

    中文：平均负对数似然的自然梯度，先对 p，再对 logit z（p = 1 / (1 + exp(-z))）。硬币正面的概率是 p；许多次抛掷中正面占 seen。
    自然梯度等于梯度除以费舍尔信息，即对这枚硬币自己的抛掷取对数似然导数的平方的平均。
    """
    raise NotImplementedError
