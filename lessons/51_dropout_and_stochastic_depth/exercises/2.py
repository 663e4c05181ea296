"""A residual block with stochastic depth.

中文：带随机深度的残差块。
"""


def residual(x: list[list[float]], branch: list[list[float]], uniform: list[float], p: float, training: bool) -> list[list[float]]:
    """What a block hands on: its input plus its branch, which is left out for some of the samples while training.

    x, branch: a row for each sample; uniform: one draw from [0, 1) a sample, which leaves the branch out if it is below p.
    The mean over draws must be what the block hands on when it is used (training=False), where nothing is left out.

    中文：返回残差块的输出：输入加上分支；训练时，一部分样本略去分支。x 与 branch 每个样本一行；uniform 给每个样本一个 [0, 1) 上的随机数，
    小于 p 就略去分支。对随机数取平均，必须等于使用时（training=False，什么都不略去）的输出。
    """
    raise NotImplementedError
