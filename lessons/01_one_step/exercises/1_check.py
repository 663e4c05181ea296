"""Checks the gradient against autograd."""

import torch
from torch.nn.functional import cross_entropy

from danlu.errors import Sentence

HINTS = {
    "shape": Sentence(
        "The gradient has the shape of the logits: one number for each row and class.",
        "梯度的形状与 logits 相同：每行每类一个数。",
    ),
    "no_mean": Sentence(
        "Everything is too large by the number of rows. The loss is a mean: where does its division go?",
        "每个数都大了“行数”那么多倍。损失是平均值：那个除法到哪里去了？",
    ),
    "sign": Sentence(
        "Right size, wrong sign: with this gradient a step would raise the loss. A right class with too little probability must be pushed up.",
        "大小对了，符号反了：照这个梯度走，损失会升高。正确类别的概率偏低时，应当把它推高。",
    ),
    "no_softmax": Sentence(
        "The logits themselves stand where probabilities should. Adding one number to all logits of a row changes no probability, so it must not change the gradient.",
        "该放概率的地方放了 logits。给一行的所有 logits 加上同一个数，概率不变，梯度也不该变。",
    ),
    "no_label": Sentence(
        "Each row of the gradient must sum to zero: what is taken from the wrong classes is given to the right one. Where do the labels come in?",
        "梯度的每一行之和应为零：从错误类别拿走的，正好给了正确类别。标签用在哪里了？",
    ),
    "overflow": Sentence(
        "With logits of a few hundred it is no longer a number: exp(1000) is infinite. Subtract the largest logit of each row first, or use softmax.",
        "logits 到几百时结果就不是数了：exp(1000) 是无穷大。先减去每行最大的 logit，或者用 softmax。",
    ),
    "wrong": Sentence(
        "It is not (probabilities - one-hot label) / rows. Work a row of two classes out on paper.",
        "它不等于（概率 − 独热标签）÷ 行数。拿一行、两个类别，在纸上推一遍。",
    ),
}


def check(logits_gradient):
    """Against autograd, on rows drawn from a fixed generator."""
    draw = torch.Generator().manual_seed(1)
    logits = torch.randn(6, 4, generator=draw, dtype=torch.float64)
    labels = torch.tensor([0, 3, 1, 1, 2, 0])
    at = logits.clone().requires_grad_()
    cross_entropy(at, labels).backward()
    right, found = at.grad, logits_gradient(logits.clone(), labels)
    yield isinstance(found, torch.Tensor) and found.shape == right.shape, "shape"
    yield not torch.allclose(found, right * len(logits)), "no_mean"
    yield not torch.allclose(found, -right), "sign"
    yield torch.allclose(found, logits_gradient(logits + 3.0, labels)), "no_softmax"
    yield torch.allclose(found.sum(1), torch.zeros(len(logits), dtype=found.dtype), atol=1e-9), "no_label"
    yield bool(logits_gradient(logits * 1000, labels).isfinite().all()), "overflow"
    yield torch.allclose(found, right, atol=1e-9), "wrong"
