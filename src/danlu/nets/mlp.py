"""A multi-layer perceptron: fully connected layers with an activation between them. Images are flattened.

Shapes: B batch, D features of a row, ... the dims of a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from danlu.data.source import Facts
from danlu.fields import PositiveInt, Rate
from danlu.nets.dropout import Dropout, named
from danlu.nets.facts import features, outputs

ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "tanh": nn.Tanh}
NORMS = {"none": nn.Identity, "layer": nn.LayerNorm, "batch": nn.BatchNorm1d}


class Perceptron(nn.Module):
    """x [B, ...] -> [B, out_features]: per hidden layer linear, norm, activation, dropout; then linear.

    Weights start normal with variance 2 / fan-in (He et al. 2015), or 1 / fan-in for tanh (LeCun et al. 1998), biases at zero; the last
    layer has variance 1 / fan-in.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        hidden: Sequence[int] = (64, 64),
        activation: str = "relu",
        dropout: float = 0.0,
        norm: str = "none",
    ):
        super().__init__()
        layers: list[nn.Module] = []
        for before, width in zip((in_features, *hidden), hidden):
            linear = nn.Linear(before, width)
            nn.init.normal_(linear.weight, std=((1 if activation == "tanh" else 2) / before) ** 0.5)
            layers += [linear, NORMS[norm](width), ACTIVATIONS[activation](), Dropout(dropout)]
        last = nn.Linear((in_features, *hidden)[-1], out_features)
        nn.init.normal_(last.weight, std=last.in_features**-0.5)
        layers.append(last)
        for layer in layers:
            if isinstance(layer, nn.Linear):
                nn.init.zeros_(layer.bias)
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        x_BD = x.flatten(1)
        return self.layers(x_BD)


@dataclass(frozen=True)
class MLP:
    """Multi-layer perceptron for rows of numbers.

    中文: 多层感知机，用于数值行（图像会被展平）

    hidden: width of each hidden layer ｜ 各隐藏层的宽度
    activation: what stands between the layers ｜ 层间的激活函数
    dropout: rate after each activation ｜ 每个激活之后的丢弃率
    norm: normalisation before each activation ｜ 每个激活之前的归一化
    in_features: numbers in a row (null: from the data) ｜ 每行有几个数（null：取自数据）
    out_features: classes or target columns (null: from the data) ｜ 类别数或目标列数（null：取自数据）

    Scope: 11.3
    """

    hidden: tuple[PositiveInt, ...] = (64, 64)
    activation: Literal["relu", "gelu", "silu", "tanh"] = "relu"
    dropout: Rate = 0.0
    norm: Literal["none", "layer", "batch"] = "none"
    in_features: PositiveInt | None = None
    out_features: PositiveInt | None = None

    def __call__(self, facts: Facts | None = None) -> Perceptron:
        """Raises BadInput when the data has tokens or categories, or disagrees with a field."""
        inputs = features("mlp", "in_features", self.in_features, facts)
        answers = outputs("mlp", "out_features", self.out_features, facts)
        return named(Perceptron(inputs, answers, self.hidden, self.activation, self.dropout, self.norm))
