"""Checks the direction against the matrix that it stands for."""

import torch

from danlu.errors import Sentence

HINTS = {
    "uphill": Sentence(
        "Your direction goes up: its product with the slope is positive.",
        "你的方向是上坡：它与斜率的内积是正的。",
    ),
    "needs_pairs": Sentence(
        "At the first step there are no pairs yet, and the function must go down all the same. What is H then?",
        "第一步还没有任何一对，函数也得往下走。这时 H 是什么？",
    ),
    "no_scale": Sentence(
        "With one pair, a slope along no known direction should come out gamma times as long. Yours keeps its length: what does H begin with?",
        "只有一对时，与它们都无关的斜率出来应当乘上 gamma，你的长度没变：H 是从什么开始的？",
    ),
    "oldest_scale": Sentence(
        "gamma is of the oldest pair in your answer. Which pair tells most about the curvature where you are now?",
        "你的 gamma 取自最旧的一对。哪一对最能说明现在这里的曲率？",
    ),
    "wrong_order": Sentence(
        "With one pair you are right, with several not. In which order do the two loops go through the pairs?",
        "只有一对时是对的，有几对就错了。两个循环各按什么顺序走过这些对？",
    ),
    "wrong": Sentence(
        "H must map the newest y to the newest s: that is the whole idea, curvature from differences of slopes. Try slope = y: your direction should be -s.",
        "H 必须把最新的 y 变成最新的 s：由斜率之差得到曲率，整个思想就在这里。试试 slope = y：你的方向应当是 -s。",
    ),
}


def right(slope, moves, changes, scale=-1):
    """By the matrix."""
    one = torch.eye(len(slope), dtype=slope.dtype)
    h = one * (moves[scale] @ changes[scale] / (changes[scale] @ changes[scale])) if moves else one
    for s, y in zip(moves, changes):
        left = one - torch.outer(s, y) / (y @ s)
        h = left @ h @ left.T + torch.outer(s, s) / (y @ s)
    return -h @ slope


def check(lbfgs_direction):
    """On a quadratic with known curvatures."""
    draw = torch.Generator().manual_seed(0)
    curvatures = torch.tensor([1.0, 3.0, 10.0, 30.0], dtype=torch.float64)
    moves = [torch.randn(4, generator=draw, dtype=torch.float64) for _ in range(3)]
    changes = [curvatures * s for s in moves]
    slope = torch.randn(4, generator=draw, dtype=torch.float64)
    same = lambda a, b: bool(torch.allclose(a, b, rtol=1e-8))
    ask = lambda slope, count: lbfgs_direction(slope.clone(), [s.clone() for s in moves[:count]], [y.clone() for y in changes[:count]])
    one = ask(slope, 1)
    yield float(one @ slope) < 0, "uphill"
    yield same(ask(slope, 0), -slope), "needs_pairs"
    aside = slope - (slope @ moves[0]) / (moves[0] @ moves[0]) * moves[0]
    aside = aside - (aside @ (other := changes[0] - (changes[0] @ moves[0]) / (moves[0] @ moves[0]) * moves[0])) / (other @ other) * other
    yield not same(ask(aside, 1), -aside), "no_scale"
    several = ask(slope, 3)
    yield not same(several, right(slope, moves, changes, scale=0)), "oldest_scale"
    yield not (same(one, right(slope, moves[:1], changes[:1])) and not same(several, right(slope, moves, changes))), "wrong_order"
    yield same(one, right(slope, moves[:1], changes[:1])) and same(several, right(slope, moves, changes)), "wrong"
