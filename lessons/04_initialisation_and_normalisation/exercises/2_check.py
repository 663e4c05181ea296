"""Checks a layer norm against torch's, after the cases that tell mistakes apart."""

import torch
from torch.nn.functional import layer_norm

from danlu.errors import Sentence

HINTS = {
    "over_rows": Sentence(
        "A row changed because other rows came along with it. That is BatchNorm; a layer norm looks at one row alone.",
        "别的行变了，这一行的结果也跟着变。那是 BatchNorm；层归一化只看自己这一行。",
    ),
    "no_mean": Sentence(
        "Add one number to a whole row: after the norm nothing of it should be left, and in yours it is.",
        "给整行加上同一个数，归一化之后应当不留痕迹，你的结果里却留下了。",
    ),
    "no_eps": Sentence(
        "A row whose values are all the same has come out as something that is no number.",
        "一整行的值都相同时，你的结果里出现了不是数的东西。",
    ),
    "eps_outside": Sentence(
        "eps was added to the deviation, or to the result. With a large eps that shows: it belongs to the variance, under the root.",
        "你把 eps 加到了标准差或结果上。eps 取大一点就看得出来：它应当加在方差上，在根号里面。",
    ),
    "unbiased": Sentence(
        "With few features the rows come out too small. Nothing is estimated from a sample here; the mean square of these very values shall be 1.",
        "特征很少时，你的结果偏小。这里不是用样本去估计什么，要的就是这几个值本身的均方等于 1。",
    ),
    "wrong": Sentence(
        "It differs from (x - mean) / sqrt(variance + eps) of each row. Do a row of two numbers by hand.",
        "它不等于每一行的（x − 均值）÷ sqrt（方差 + eps）。拿一行两个数手算一遍。",
    ),
}


def check(layer_normed):
    """Rows of different scale, a constant row, a large eps, two features."""
    x = torch.tensor([[1.0, 2.0, 4.0, 9.0], [-30.0, 0.0, 10.0, 60.0], [0.1, 0.2, 0.2, 0.7]], dtype=torch.float64)
    yield torch.allclose(layer_normed(x, 1e-5)[:1], layer_normed(x[:1], 1e-5)), "over_rows"
    yield torch.allclose(layer_normed(x + 5.0, 1e-5), layer_normed(x, 1e-5), atol=1e-9), "no_mean"
    yield bool(layer_normed(torch.full((1, 4), 3.0), 0.0 + 1e-5).isfinite().all()), "no_eps"
    pair = torch.tensor([[-1.0, 1.0]], dtype=torch.float64)
    yield float(layer_normed(pair, 1e-12).pow(2).mean()) > 0.9, "unbiased"
    yield torch.allclose(layer_normed(pair, 3.0), pair / 2), "eps_outside"
    yield torch.allclose(layer_normed(x, 1e-5), layer_norm(x, (4,), eps=1e-5), atol=1e-9), "wrong"
