"""Checks an effective rate by taking a thousand steps along a gradient of one."""

import math

import torch

from danlu.errors import Sentence
from danlu.optim.first_order import SGD

HINTS = {
    "as_written": Sentence(
        "That is the length of the first step. What does the second one add, whose v still holds most of the first gradient?",
        "这是第一步的长度。第二步的 v 里还留着第一个梯度的大部分，它走多远？",
    ),
    "shrunk": Sentence(
        "With more momentum your steps get shorter. Write down v after one, two and three steps along a gradient of 1.",
        "动量越大，你的步子反而越短。梯度恒为 1，把走一步、两步、三步之后的 v 写出来看看。",
    ),
    "added": Sentence(
        "That is the length of the second step. The third is longer again; where does it end?",
        "这是第二步的长度。第三步还要长；最后会停在哪里？",
    ),
    "dampening_ignored": Sentence(
        "Right without dampening. With it every gradient enters v smaller; what if dampening equals momentum?",
        "没有 dampening 时是对的。有了它，每个梯度进入 v 时都变小了；dampening 与 momentum 相等时会怎样？",
    ),
    "wrong": Sentence(
        "In the long run v changes no more: v = momentum * v + (1 - dampening) * 1. Solve for v.",
        "长期来看 v 不再变化：v = momentum · v + (1 − dampening) · 1。解出 v。",
    ),
}


def walked(lr, momentum, dampening):
    """The last of a thousand steps of danlu's SGD."""
    w = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = SGD(lr=lr, momentum=momentum, dampening=dampening)([("w", w)])
    before = 0.0
    for _ in range(1000):
        before = float(w.detach())
        w.grad = torch.ones((), dtype=torch.float64)
        optimizer.step()
    return before - float(w.detach())


def check(effective_rate):
    """Without dampening first, then with it, then against walking."""
    found = effective_rate(0.1, 0.9, 0.0)
    yield not math.isclose(found, 0.1), "as_written"
    yield not math.isclose(found, 0.01), "shrunk"
    yield not math.isclose(found, 0.19), "added"
    yield not (math.isclose(found, 1.0) and math.isclose(effective_rate(0.1, 0.9, 0.9), 1.0)), "dampening_ignored"
    for setting in ((0.1, 0.9, 0.0), (0.1, 0.9, 0.9), (0.03, 0.5, 0.2), (0.2, 0.0, 0.0)):
        yield math.isclose(effective_rate(*setting), walked(*setting), rel_tol=1e-6), "wrong"
