"""One step of AdamW.

中文：AdamW 的一步。
"""


def adamw_step(w: float, gradient: float, m: float, v: float, step: int, rate: float, decay: float) -> tuple[float, float, float]:
    """The new weight, running mean and running mean square of the gradient.

    step: counted from 1; the running means started at zero and forget a tenth and a thousandth in each step; 1e-8 is added to the root.

    中文：返回新的权重，以及梯度的滑动平均与平方的滑动平均。step 从 1 数起；两个滑动平均从零开始，每步分别忘掉十分之一和千分之一；
    开方之后加 1e-8。
    """
    raise NotImplementedError
