"""Checks a factor against orthogonal matrices."""

import math

import torch

from danlu.errors import Sentence

HINTS = {
    "nothing": Sentence(
        "You only give `size` back. A matrix of 64 x 64 whose singular values are all one has small numbers: how small?",
        "你只返回了 size。64 × 64 的矩阵，奇异值全为 1，其中的数很小：有多小？",
    ),
    "one_side": Sentence(
        "Turn the matrix on its side, and its numbers stay what they are. Yours does not.",
        "把矩阵转置，里面的数还是那些数。你的答案却变了。",
    ),
    "shorter": Sentence(
        "Take a single row of 100 numbers whose length is one. How large are they? It is the longer side that spreads the length.",
        "取一行 100 个数，长度为一。每个数多大？把长度摊薄的是较长的一边。",
    ),
    "all_of_them": Sentence(
        "You spread a length of one over all the numbers. But there is more than one singular value of one: what is the Frobenius norm?",
        "你把长度 1 摊到了所有的数上。可是等于 1 的奇异值不止一个：Frobenius 范数是多少？",
    ),
    "no_root": Sentence(
        "Four times the longer side must give twice the factor: it is the mean of the squares that is one over the longer side.",
        "较长的一边变成四倍，倍数应当只变成两倍：等于“长边分之一”的是平方的平均。",
    ),
    "wrong": Sentence(
        "The sum of all squares is the sum of the squared singular values: as many as the shorter side. Divide by rows * columns, take the root.",
        "所有数的平方和等于奇异值的平方和：共有短边那么多个。除以 rows × columns，再开方。",
    ),
}


def size_of(rows, columns):
    """The root mean square of an orthogonal matrix by chance."""
    u, _, vt = torch.linalg.svd(
        torch.randn(rows, columns, generator=torch.Generator().manual_seed(0), dtype=torch.float64), full_matrices=False
    )
    return float((u @ vt).pow(2).mean().sqrt())


def check(stretch):
    """Square ones, then a row, then any."""
    square = stretch(64, 64, 0.2)
    yield not math.isclose(square, 0.2), "nothing"
    yield math.isclose(stretch(16, 64, 0.2), stretch(64, 16, 0.2)), "one_side"
    yield not math.isclose(stretch(1, 100, 0.2), 0.2), "shorter"
    yield not math.isclose(square, 0.2 * 64), "all_of_them"
    four_times = stretch(16, 256, 0.2) / stretch(16, 64, 0.2)
    yield not math.isclose(four_times, 4.0), "no_root"
    for rows, columns, size in ((64, 64, 0.2), (16, 64, 0.2), (64, 16, 1.0), (1, 100, 0.4)):
        yield math.isclose(stretch(rows, columns, size) * size_of(rows, columns), size, rel_tol=1e-6), "wrong"
