"""The same average with another batch.

中文：换了批次大小，怎样才是同样的平均。
"""


def scaled_decay(decay: float, times: float) -> float:
    """The decay that an EMA needs when every step has `times` as many rows as before.

    The training then takes fewer steps for the same rows, by that factor. The average must remember as many rows as before: what the old
    one kept of a weight after `times` steps, the new one keeps after one. `times` may be below one.

    中文：每一步的行数变为原来的 times 倍时，EMA 应当用的 decay。看过同样多的行，步数就少到原来的 times 分之一；平均应当记住同样多的行：
    原来走 times 步之后还保留多少，现在走一步之后就保留多少。times 可以小于一。
    """
    raise NotImplementedError
