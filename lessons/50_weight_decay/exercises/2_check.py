"""Checks AdamW step by step against torch's."""

import math

import torch

from danlu.errors import Sentence

HINTS = {
    "through_the_gradient": Sentence(
        "A weight without any gradient lost a whole rate, whatever the decay: that is L2 in Adam. The decay must not go through the division.",
        "没有梯度的权重，不管衰减多大，都少了整整一个学习率：这是 Adam 里的 L2。衰减不能经过那次除法。",
    ),
    "without_the_rate": Sentence(
        "A weight without any gradient must lose rate times decay of itself. Yours lost the decay, a thousand times as much here.",
        "没有梯度的权重，应当失去自身的“学习率 × 衰减”。你减去的是衰减本身，在这里多了上千倍。",
    ),
    "no_correction": Sentence(
        "The first step of Adam is as long as the rate, however small the gradient. Yours is not: the running means begin at zero and must be made up for it.",
        "Adam 的第一步，梯度再小，步长也等于学习率。你的不是：滑动平均从零开始，必须修正。",
    ),
    "wrong": Sentence(
        "The first step is right, and later ones are not. What must be handed on, and to which power are the forgetting factors at step t?",
        "第一步对了，后面的不对。该传下去的是什么？到第 t 步，遗忘系数应当取几次方？",
    ),
}


def check(adamw_step):
    """No gradient, one step, and many."""
    w, _, _ = adamw_step(1.0, 0.0, 0.0, 0.0, 1, 0.001, 0.5)
    yield not math.isclose(w, 0.999, abs_tol=1e-6), "through_the_gradient"
    yield not math.isclose(w, 0.5, abs_tol=1e-3), "without_the_rate"
    w, _, _ = adamw_step(1.0, 0.01, 0.0, 0.0, 1, 0.001, 0.0)
    yield math.isclose(w, 0.999, abs_tol=1e-6), "no_correction"
    p = torch.nn.Parameter(torch.ones((), dtype=torch.float64))
    optimizer = torch.optim.AdamW([p], lr=0.02, weight_decay=0.5)
    w, m, v = 1.0, 0.0, 0.0
    for step in range(1, 13):
        p.grad = torch.tensor(math.sin(step) + 0.3, dtype=torch.float64)
        optimizer.step()
        w, m, v = adamw_step(w, math.sin(step) + 0.3, m, v, step, 0.02, 0.5)
        yield math.isclose(w, float(p.detach()), rel_tol=1e-7), "wrong"
