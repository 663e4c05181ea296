"""Checks the multiples of muP against danlu's technique on a network four times as wide as its base."""

import math

import torch
from torch import nn

from danlu.core import Recipe, Run
from danlu.data.bundled import Digits
from danlu.errors import Sentence
from danlu.nets.mlp import MLP
from danlu.optim.first_order import AdamW
from danlu.techniques.model.mup import MuP

HINTS = {
    "base_changes": Sentence(
        "At the base width itself you change something. There muP must be the usual network, or no rate could be carried from it.",
        "在基准宽度上你也改了东西。那里 muP 必须就是通常的网络，否则无从带出学习率。",
    ),
    "first_too": Sentence(
        "You scale what reads the data. Does the number of its inputs grow when the network gets wider?",
        "你把读数据的那一层也缩放了。网络变宽时，它的输入个数变多吗？",
    ),
    "root": Sentence(
        "A rate divided by the square root would be right if what the weights do to an output were independent. Adam gives each the sign that pushes the same way.",
        "如果各个权重对输出的影响互相独立，学习率除以平方根才对。可 Adam 给每个权重的符号，都把输出推向同一边。",
    ),
    "start_kept": Sentence(
        "The last layer starts as usual in yours. Its outputs are then of the same size at any width, by chance; but once it has learned, weights and inputs are no longer independent. By how much must the chance part shrink?",
        "你的最后一层照常初始化。输出的大小靠随机性与宽度无关；可是学过之后，权重与输入不再独立。随机的那一部分应当缩小多少？",
    ),
    "hidden_start": Sentence(
        "The hidden layers' start is right as it is: a deviation of 1 / sqrt(inputs) keeps activations at their size. You have changed it.",
        "隐藏层的初始化本来就对：标准差为 1 / √n（n 是输入个数），激活的大小不变。你把它改了。",
    ),
    "wrong": Sentence(
        "Ask of each kind two things: do its inputs become more with the width? And at the start, does a sum over them have to shrink with it, or only keep its size?",
        "对每一类问两件事：宽度变大时，它的输入变多吗？在起点上，对这些输入求和，是应当随宽度缩小，还是只要保持大小？",
    ),
}
KINDS = ("first", "hidden", "last", "bias")


def library(times: int) -> dict[str, tuple[float, float]]:
    """The multiples that danlu's technique has."""
    recipe = Recipe(MLP(hidden=(8 * times, 8 * times)), Digits(), optimizer=AdamW(lr=1.0), steps=1, validate=False)
    usual, ours = (
        Run(recipe),
        Run(
            Recipe(
                **{**vars(recipe), "techniques": (MuP(base_width=8),)},
            )
        ),
    )
    layers = lambda run: [layer for layer in run.model.modules() if isinstance(layer, nn.Linear)]
    rates = {p: group["lr"] for group in ours.optimizer.param_groups for p in group["params"]}
    found = {}
    for name, one, other in zip(KINDS, layers(usual), layers(ours)):
        found[name] = (float(other.weight.detach().std() / one.weight.detach().std()), rates[other.weight])
    found["bias"] = (1.0, rates[layers(ours)[1].bias])
    return found


def check(scaled):
    """One mistake after the other, at four times the base, then all kinds at other widths."""
    close = lambda kind, times, right: all(math.isclose(a, b, rel_tol=1e-4) for a, b in zip(scaled(kind, times), right))
    yield all(close(kind, 1.0, (1.0, 1.0)) for kind in KINDS), "base_changes"
    yield all(close(kind, 4.0, (1.0, 1.0)) for kind in ("first", "bias")), "first_too"
    yield not any(math.isclose(scaled(kind, 4.0)[1], 0.5) for kind in ("hidden", "last")), "root"
    yield not math.isclose(scaled("last", 4.0)[0], 1.0), "start_kept"
    yield math.isclose(scaled("hidden", 4.0)[0], 1.0), "hidden_start"
    torch.set_num_threads(1)
    for times in (2, 4):
        for kind, right in library(times).items():
            yield close(kind, float(times), right), "wrong"
