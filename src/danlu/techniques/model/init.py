"""Start the weights from a named distribution: Xavier, He, orthogonal or truncated normal.

Each keeps the scale of activations and gradients about the same from layer to layer: Xavier for tanh-like layers (Glorot and Bengio 2010),
He for ReLU (He et al. 2015), orthogonal exactly so in a deep linear net (Saxe et al. 2013). `branch_ends` divides the layers that end a
shortcut's branch by the root of their number, so that a sum of many branches does not grow with depth (Radford et al. 2019).

Formula: W ~ scheme with deviation gain / √fan (he, xavier: fan_in, mean of both), std (truncated_normal), or orthonormal; b = 0
When it helps: nets without normalisation layers, deep ones above all; and whenever another framework's start must be matched.
What it costs: nothing after the start.
When not to use it: pretrained weights (`--from` and `pretrained` come after it, and win).
Failure signals: the first loss is far from that of guessing, or activations vanish or explode with depth: gain or scheme does not suit the
activation.
Interactions: drawn before `--from` and pretrained weights, which win; `lsuv` draws all of it anew, so take one of the two; normalisation
layers make most of the difference disappear.

原理: 按指定分布重新抽取线性层与卷积层的权重，使激活与梯度的尺度逐层大致不变，偏置置零。
公式: W 按 scheme 抽取，标准差为 gain / √fan（he 取 fan_in，xavier 取两者平均）或 std（truncated_normal），或取正交；b = 0
何时有用: 没有归一化层的网络，尤其是深的；以及必须与其他框架的初始化一致的时候。
代价: 起步之后没有任何代价。
何时不用: 预训练权重：`--from` 与 `pretrained` 在它之后，以它们为准。
失效信号: 初始损失与瞎猜时相差很远，或激活随深度消失、爆炸：增益或方案与激活函数不配。
相互作用: 先于 `--from` 与预训练权重，以后者为准；`lsuv` 会全部重抽，两者取一；有归一化层时差别大多消失。

Scope: 9.1
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import sqrt
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from danlu.core import Run, Technique
from danlu.errors import BadInput, Sentence
from danlu.fields import Positive
from danlu.keys import generator

NO_LAYER = Sentence(
    "init.{field}: no linear or convolution layer is called `{pattern}`; found: {found}",
    "init.{field}：没有名为 `{pattern}` 的线性层或卷积层；现有：{found}",
)
Weighted = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d


@dataclass
class Init(Technique):
    """Draw the weights of linear and convolution layers anew, and set their biases to zero.

    scheme: the distribution; truncated_normal is cut at two deviations ｜ 抽取权重的分布；truncated_normal 在两个标准差处截断
    gain: a factor on the scale (null: the root of two for he, as ReLU halves the variance; else 1)
        ｜ 尺度的系数（null：he 取根号二，因为 ReLU 使方差减半；其余取 1）
    std: the deviation of truncated_normal ｜ truncated_normal 的标准差
    layers: names of the layers to draw, with * and ? ｜ 要重新抽取的层的名称，可用 * 与 ?
    branch_ends: names of layers that end a shortcut's branch; each is divided by the root of how many they are
        ｜ 残差分支末层的名称；它们的权重各除以其个数的平方根
    中文: 按指定分布初始化权重：Xavier、He、正交、截断正态，可按深度缩放。
    """

    scheme: Literal["xavier_uniform", "xavier_normal", "he_uniform", "he_normal", "orthogonal", "truncated_normal"] = "he_normal"
    gain: Positive | None = None
    std: Positive = 0.02
    layers: tuple[str, ...] = ("*",)
    branch_ends: tuple[str, ...] = ()

    neutral: ClassVar = "weights must start somewhere, and every scheme draws them anew"

    def wrap_model(self, model: nn.Module, run: Run) -> nn.Module:
        found = dict(weighted(model))
        chosen, ends = self._matching("layers", found), self._matching("branch_ends", found)
        drawn: set[int] = set()  # a weight that several layers share is drawn once
        with torch.no_grad():
            for name in chosen:
                layer = found[name]
                if layer.weight.data_ptr() in drawn:
                    continue
                drawn.add(layer.weight.data_ptr())
                self._draw(layer.weight, generator(run.seed, "init", name))
                if name in ends:
                    layer.weight /= sqrt(len(ends))
                if layer.bias is not None:
                    layer.bias.zero_()
        return model

    def _draw(self, weight: Tensor, draw: torch.Generator) -> None:
        gain, init, std = self.gain or 1.0, nn.init, self.std
        if self.scheme == "truncated_normal":
            init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std, generator=draw)
        elif self.scheme.startswith("he"):
            draw_he = init.kaiming_uniform_ if self.scheme == "he_uniform" else init.kaiming_normal_
            draw_he(weight, nonlinearity="relu" if self.gain is None else "linear", generator=draw)
        else:
            schemes: dict[str, Callable[..., Any]]
            schemes = {"xavier_uniform": init.xavier_uniform_, "xavier_normal": init.xavier_normal_, "orthogonal": orthogonal}
            schemes[self.scheme](weight, generator=draw)
        weight *= gain

    def _matching(self, field: str, found: dict[str, Weighted]) -> list[str]:
        patterns = getattr(self, field)
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in found):
                raise BadInput(NO_LAYER, field=field, pattern=pattern, found=", ".join(list(found)[:12]) or "-")
        return [name for name in found if any(fnmatchcase(name, pattern) for pattern in patterns)]


def orthogonal(weight: Tensor, generator: torch.Generator) -> None:
    """Orthogonal rows or columns; torch's own fails on the strides of channels-last convolutions that are wider than high."""
    with torch.no_grad():
        weight.copy_(nn.init.orthogonal_(torch.empty_like(weight, memory_format=torch.contiguous_format), generator=generator))


def weighted(model: nn.Module) -> Iterator[tuple[str, Weighted]]:
    """The linear and convolution layers with their names, in the order in which the model lists them."""
    for name, module in model.named_modules():
        if isinstance(module, Weighted):
            yield name, module
