"""Checks K-FAC of one layer against the Kronecker product, written out."""

import torch

from danlu.errors import Sentence

HINTS = {
    "swapped": Sentence(
        "The two factors stand on the wrong sides. Which side of W does the input come in at?",
        "两个因子站错了边。输入是从 W 的哪一边进来的？",
    ),
    "sums": Sentence(
        "With every row twice, the curvature of the mean loss is the same. Yours has changed: is a factor a sum or a mean?",
        "把每一行都重复一遍，平均损失的曲率不变，你的却变了：因子该是和，还是平均？",
    ),
    "centred": Sentence(
        "You have taken the means off. A is the second moment of the inputs, not their covariance: what would happen to inputs that never vary?",
        "你减掉了均值。A 是输入的二阶矩，不是协方差：如果某个输入从不变化，会怎样？",
    ),
    "one_factor": Sentence(
        "Scale the gradients at the output: the direction must change, and yours does not. Where is G?",
        "把输出处的梯度放大，方向应当随之改变，你的没有变。G 在哪里？",
    ),
    "undamped": Sentence(
        "A hundred times the damping changes nothing in your answer. What if an input were always zero, and its factor had no inverse?",
        "阻尼放大一百倍，你的答案纹丝不动。如果有一个输入恒为零，因子没有逆，怎么办？",
    ),
    "wrong": Sentence(
        "Write F = A ⊗ G for two by two factors, invert it, and multiply it with the columns of the gradient, one under another.",
        "用 2×2 的因子写出 F = A ⊗ G，求逆，再去乘把各列首尾相接的梯度。",
    ),
}


def right(x, g, slope, damping, mean=True, centred=False):
    """By the whole Kronecker product, columns of W one under another."""
    if centred:
        x, g = x - x.mean(0), g - g.mean(0)
    count = len(x) if mean else 1
    a, b = (m.T @ m / count + damping * torch.eye(m.shape[1], dtype=m.dtype) for m in (x, g))
    return torch.linalg.solve(torch.kron(a, b), slope.T.reshape(-1)).view(slope.shape[1], slope.shape[0]).T


def check(kfac_direction):
    """Square first, so that swapped sides fit; then others."""
    draw = torch.Generator().manual_seed(0)
    random = lambda *shape: torch.randn(*shape, generator=draw, dtype=torch.float64)
    x, g, slope = random(20, 3) + 1, random(20, 3) * 2, random(3, 3)
    same = lambda a, b: a.shape == b.shape and bool(torch.allclose(a, b, rtol=1e-6, atol=1e-9))
    found = kfac_direction(x, g, slope, 0.1)
    yield not same(found, right(x, g, slope.T, 0.1).T), "swapped"
    yield same(kfac_direction(torch.cat([x, x]), torch.cat([g, g]), slope, 0.1), found), "sums"
    yield not same(found, right(x, g, slope, 0.1, centred=True)), "centred"
    yield not same(kfac_direction(x, 10 * g, slope, 0.1), found), "one_factor"
    yield not same(kfac_direction(x, g, slope, 10.0), found), "undamped"
    yield same(found, right(x, g, slope, 0.1)), "wrong"
    x, g, slope = random(30, 5), random(30, 2), random(2, 5)
    yield same(kfac_direction(x, g, slope, 0.01), right(x, g, slope, 0.01)), "wrong"
