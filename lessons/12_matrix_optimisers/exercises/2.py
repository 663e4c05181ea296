"""How much an orthogonal update must be stretched.

中文：正交的更新要放大多少。
"""


def stretch(rows: int, columns: int, size: float) -> float:
    """What to multiply U V^T by, so that its numbers have a root mean square of `size`.

    U V^T [rows, columns] is what is left of a matrix of full rank when all its singular values are made one. AdamW's updates have numbers
    of about 0.2 to 0.4 times the rate; with `size` = 0.2 an orthogonal update may be given AdamW's rate (Liu et al. 2025).

    中文：U V^T（行 × 列）乘以多少，才能使其中各数的均方根等于 size。U V^T 是满秩矩阵把奇异值全变成 1 之后剩下的。
    AdamW 的更新，各数大约是学习率的 0.2 到 0.4 倍；取 size = 0.2，正交更新就可以沿用 AdamW 的学习率（Liu 等，2025）。
    """
    raise NotImplementedError
