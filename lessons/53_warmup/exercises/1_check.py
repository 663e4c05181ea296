"""Checks Adam's moves against torch's."""

import math

import torch

from danlu.errors import Sentence

HINTS = {
    "no_correction": Sentence(
        "Your first move is not one, whatever the gradient. Both means start at zero: by which share are they too small after one step?",
        "无论梯度多大，第一步都应当移动一；你的不是。两个均值都从零开始：走了一步之后，它们各自偏小了多少？",
    ),
    "one_corrected": Sentence(
        "You have corrected one of the two means only, so the first moves are far too long or too short.",
        "两个均值你只修正了一个，所以头几步过长或过短。",
    ),
    "sign_lost": Sentence(
        "A negative gradient must move the number up. Where has the sign gone?",
        "梯度为负时，这个数应当变大。符号到哪里去了？",
    ),
    "no_memory": Sentence(
        "Gradients that change their sign should nearly cancel in the mean. Yours move as far as gradients that agree.",
        "正负交替的梯度，在均值里应当几乎抵消；你的移动却和方向一致时一样远。",
    ),
    "mean_of_squares": Sentence(
        "What is divided by is the root of the mean of the squares, not of the absolute values, and not the square itself.",
        "除数是平方的均值再开方，不是绝对值的均值，也不是平方的均值本身。",
    ),
    "wrong": Sentence(
        "Write the first three steps down for gradients 1, 1, 1: every move is one. What is yours?",
        "梯度依次为 1、1、1 时，写出头三步：每一步都移动一。你的是多少？",
    ),
}


def by_torch(gradients, beta1, beta2):
    x = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer, moves = torch.optim.Adam([x], lr=1.0, betas=(beta1, beta2), eps=0.0), []
    for gradient in gradients:
        before = float(x.detach())
        x.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
        moves.append(before - float(x.detach()))
    return moves


def check(adam_moves):
    """The first step, signs, memory, then everything."""
    first = adam_moves([5.0], 0.9, 0.999)[0]
    yield not math.isclose(first, 0.1 / math.sqrt(0.001), rel_tol=1e-6), "no_correction"
    yield not (math.isclose(first, 1 / math.sqrt(0.001), rel_tol=1e-6) or math.isclose(first, 0.1, rel_tol=1e-6)), "one_corrected"
    yield adam_moves([-2.0], 0.9, 0.999)[0] < 0, "sign_lost"
    swinging = adam_moves([1.0, -1.0] * 20, 0.9, 0.999)
    yield abs(swinging[-1]) < 0.5, "no_memory"
    uneven = [3.0, 0.5, -1.0, 4.0, 0.1]
    yield not all(math.isclose(a, b, rel_tol=1e-6) for a, b in zip(adam_moves(uneven, 0.9, 0.999), _absolute(uneven))), "mean_of_squares"
    for given in ((uneven, 0.9, 0.999), ([1.0, 1.0, 1.0], 0.5, 0.9), ([1.0, -1.0] * 10, 0.9, 0.95)):
        yield (
            all(math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9) for a, b in zip(adam_moves(*given), by_torch(*given), strict=True)),
            "wrong",
        )


def _absolute(gradients):
    mean, size, moves = 0.0, 0.0, []
    for step, g in enumerate(gradients, 1):
        mean, size = 0.9 * mean + 0.1 * g, 0.999 * size + 0.001 * abs(g)
        moves.append(mean / (1 - 0.9**step) / (size / (1 - 0.999**step)))
    return moves
