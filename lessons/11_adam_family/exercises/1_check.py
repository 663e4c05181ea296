"""Checks a step of AdamW against danlu's own."""

import math

import torch

from danlu.errors import Sentence
from danlu.optim.first_order import AdamW

HINTS = {
    "coupled": Sentence(
        "Your moments know of the decay: the gradient was 0, and yet they moved. What does decoupled mean?",
        "你的矩里混进了衰减：梯度是 0，它们却动了。“解耦”是什么意思？",
    ),
    "not_times_rate": Sentence(
        "Without a gradient the weight is to shrink by lr * decay of itself. Yours shrinks by something else.",
        "没有梯度时，权重应当缩小自身的 lr * decay。你的缩小了别的量。",
    ),
    "uncorrected": Sentence(
        "Your first step is not as long as lr. After one gradient, how much of it does the mean hold, and how much of its square?",
        "你的第一步没有 lr 那么长。见过一个梯度之后，均值里有它的几成？平方的均值里又有几成？",
    ),
    "eps_inside": Sentence(
        "A gradient of 1e-8 ought to give half a step with eps = 1e-8. Does eps belong under the root?",
        "eps = 1e-8 时，大小为 1e-8 的梯度应当走半步。eps 该放在根号里面吗？",
    ),
    "decayed_after": Sentence(
        "You shrink the weight that has already moved. It is the one before the step that decays.",
        "你缩小的是已经走完一步的权重。应当衰减的是走之前的那个。",
    ),
    "wrong": Sentence(
        "w - lr * decay * w - lr * m / (sqrt(s) + eps), where m = mean / (1 - beta1**t) and s = square / (1 - beta2**t), both after taking in the gradient.",
        "w − lr·decay·w − lr·m / (sqrt(s) + eps)，其中 m = mean / (1 − beta1**t)，s = square / (1 − beta2**t)，都在收入梯度之后算。",
    ),
}


def walked(step, w, gradients, lr, decay, eps=1e-8):
    mean = square = 0.0
    for t, gradient in enumerate(gradients, 1):
        w, mean, square = step(w, gradient, mean, square, t, lr, decay, 0.9, 0.999, eps)
    return w


def library(w, gradients, lr, decay, eps=1e-8):
    weight = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    optimizer = AdamW(lr=lr, weight_decay=decay, eps=eps)([("w", weight)])
    for gradient in gradients:
        weight.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
    return float(weight.detach())


def check(adamw_step):
    """No gradient, no decay, a tiny gradient, then many steps."""
    w, mean, square = adamw_step(2.0, 0.0, 0.0, 0.0, 1, 0.1, 0.5, 0.9, 0.999, 1e-8)
    yield mean == 0 and square == 0, "coupled"
    yield math.isclose(w, 1.9), "not_times_rate"
    yield math.isclose(walked(adamw_step, 2.0, [3.0], 0.1, 0.0), 1.9, rel_tol=1e-6), "uncorrected"
    yield math.isclose(walked(adamw_step, 2.0, [1e-8], 0.1, 0.0), 1.95, rel_tol=1e-6), "eps_inside"
    found = walked(adamw_step, 2.0, [3.0], 0.1, 0.5)
    yield not math.isclose(found, 1.805, rel_tol=1e-6), "decayed_after"
    gradients = [0.3, -2.0, 0.7, 0.01, 1.1, -0.4]
    yield math.isclose(walked(adamw_step, 2.0, gradients, 0.1, 0.5), library(2.0, gradients, 0.1, 0.5), rel_tol=1e-9), "wrong"
