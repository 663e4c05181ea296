"""Checks a step of gradient descent by its arithmetic, and by walking down a bowl."""

import torch

from danlu.errors import Sentence

HINTS = {
    "uphill": Sentence(
        "The loss rises: the gradient points uphill, and a step goes the other way.", "损失升高了：梯度指向上坡，而一步应当往反方向走。"
    ),
    "no_rate": Sentence(
        "Twice the rate must move the weights twice as far. Yours go the same way whatever the rate.",
        "学习率加倍，权重移动的距离也应加倍。你的移动与学习率无关。",
    ),
    "only_first": Sentence(
        "Only the first tensor has moved. Every weight takes part in every step.", "只有第一个张量动了。每一步，所有权重都要参与。"
    ),
    "old_changed": Sentence(
        "The weights that came in are not what they were: `-=` writes into the tensor that the caller still holds. Make new ones.",
        "传入的权重变了：`-=` 会写进调用者手里的那个张量。请生成新的张量。",
    ),
    "gradient_of_length_one": Sentence(
        "The gradient was brought to length one first. That is a choice one can make, but not this rule: a steep place must move you further than a flat one.",
        "你先把梯度变成了单位长度。可以有这种做法，但不是这里的规则：陡的地方应当比平的地方走得更远。",
    ),
    "wrong": Sentence(
        "Each weight must become weight - rate * gradient. Compare one number by hand.",
        "每个权重应变成 weight - rate * gradient。请手算一个数比一比。",
    ),
}


def check(updated):
    """Two tensors of different shape, and gradients of different length."""
    weights = [torch.tensor([[1.0, -2.0], [0.5, 3.0]]), torch.tensor([4.0, -1.0])]
    gradients = [torch.tensor([[3.0, 0.0], [0.0, 4.0]]), torch.tensor([0.6, -0.8])]
    kept = [w.clone() for w in weights]
    found = updated(weights, gradients, 0.1)
    yield all(torch.equal(w, k) for w, k in zip(weights, kept)) and not any(f is w for f, w in zip(found[:1], weights)), "old_changed"
    moved = [f - k for f, k in zip(found, kept)]
    yield float((moved[0] * gradients[0]).sum()) < 0, "uphill"
    yield len(found) == 2 and not torch.equal(found[1], kept[1]), "only_first"
    further = [f - k for f, k in zip(updated(weights, gradients, 0.2), kept)]
    yield torch.allclose(further[0], 2 * moved[0], atol=1e-6), "no_rate"
    yield not torch.allclose(moved[0].norm(), moved[1].norm()), "gradient_of_length_one"
    yield all(torch.allclose(m, -0.1 * g, atol=1e-6) for m, g in zip(moved, gradients)), "wrong"
