"""Checks an orthogonal matrix against a singular decomposition."""

import torch

from danlu.errors import Sentence

HINTS = {
    "elementwise": Sentence(
        "You take the cube of every number, and that turns the directions. Which product of X, X^T and X has the cubes of the singular values?",
        "你把每个数各自立方了，方向也就变了。X、X^T、X 怎样相乘，才得到奇异值的立方？",
    ),
    "not_divided": Sentence(
        "With a large matrix your numbers fly away: for s above the root of 3, s * (3 - s**2) / 2 leads away from one.",
        "矩阵的数值大时，你的结果飞走了：s 大于根号 3 时，s * (3 − s**2) / 2 会离 1 越来越远。",
    ),
    "scaled_back": Sentence(
        "Twice the matrix gives you twice the result. The lengths are what is to be lost, so why put them back?",
        "矩阵加倍，你的结果也加倍。要丢掉的正是长度，为什么又乘回去？",
    ),
    "once": Sentence(
        "More iterations change nothing in yours.",
        "你的结果不随迭代次数变化。",
    ),
    "on_its_side": Sentence(
        "A matrix with more rows than columns comes out on its side. If you turned it to save work, turn it back.",
        "行比列多的矩阵，出来时是躺着的。如果为了省计算把它转置过，要转回来。",
    ),
    "wrong": Sentence(
        "After many iterations X X^T (for a wide matrix) must be the identity, and X must have the directions of the matrix. Try it on a diagonal matrix.",
        "迭代很多次之后，（扁矩阵的）X X^T 应当是单位矩阵，而 X 的方向应当与原矩阵相同。先拿对角矩阵试试。",
    ),
}


def right(matrix):
    u, _, vt = torch.linalg.svd(matrix, full_matrices=False)
    return u @ vt


def close(found, wanted):
    return isinstance(found, torch.Tensor) and found.shape == wanted.shape and torch.allclose(found, wanted, atol=1e-6)


def check(orthogonalised):
    """A wide matrix, a large one, one iteration, a tall one."""
    draws = torch.Generator().manual_seed(0)
    wide = torch.randn(4, 8, generator=draws, dtype=torch.float64) * 0.1
    cubed = wide / wide.norm()
    for _ in range(30):
        cubed = 1.5 * cubed - 0.5 * cubed**3
    yield not close(orthogonalised(wide, 30), cubed), "elementwise"
    large = 40 * wide
    found = orthogonalised(large, 30)
    yield bool(found.isfinite().all()) and float(found.norm()) < 1e3, "not_divided"
    yield not close(found, float(large.norm()) * right(large)), "scaled_back"
    yield not torch.allclose(orthogonalised(wide, 1), orthogonalised(wide, 30)), "once"
    yield orthogonalised(wide.T.contiguous(), 30).shape == (8, 4), "on_its_side"
    yield close(orthogonalised(wide, 30), right(wide)) and close(found, right(large)), "wrong"
    yield close(orthogonalised(wide.T.contiguous(), 30), right(wide.T)), "wrong"
    s = torch.diag(torch.tensor([0.6, 0.8], dtype=torch.float64))
    yield close(orthogonalised(s, 1), torch.diag(torch.tensor([0.6 * (3 - 0.36) / 2, 0.8 * (3 - 0.64) / 2], dtype=torch.float64))), "wrong"
