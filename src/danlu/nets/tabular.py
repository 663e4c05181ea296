"""A residual network for tables, with periodic embeddings of the numbers and learned embeddings of the categories.

The residual blocks are those of Gorishniy et al. 2021, "Revisiting deep learning models for tabular data", with layer norm, which does
not depend on the other rows; the periodic embedding is "PLR(lite)" of Gorishniy et al. 2022, "On embeddings for numerical features".

Shapes: B batch, N numeric columns, C categorical columns, F frequencies, E embedding width, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from danlu import messages
from danlu.data.source import Facts
from danlu.errors import BadInput
from danlu.fields import NonNegativeInt, Positive, PositiveInt, Rate
from danlu.nets.dropout import Dropout, named
from danlu.nets.facts import described, outputs, settled


class Periodic(nn.Module):
    """x_BN -> [B, N, E]: sines and cosines of each number at its own learned frequencies, a shared linear layer, ReLU.

    Frequencies start normal with deviation `scale`, in turns per unit of the (standardised) column.
    """

    def __init__(self, num_numeric: int, frequencies: int, width: int, scale: float):
        super().__init__()
        self.frequencies_NF = nn.Parameter(torch.randn(num_numeric, frequencies) * scale)
        self.linear = nn.Linear(2 * frequencies, width)

    def forward(self, x_BN: Tensor) -> Tensor:
        angle_BNF = 2 * torch.pi * self.frequencies_NF * x_BN[..., None]
        return torch.relu(self.linear(torch.cat([angle_BNF.cos(), angle_BNF.sin()], dim=-1)))


class Block(nn.Module):
    """x_BD -> [B, D]: norm, linear, ReLU, dropout, linear, dropout, beside a shortcut."""

    def __init__(self, width: int, dropout: float):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fc1, self.fc2 = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)

    def forward(self, x_BD: Tensor) -> Tensor:
        inner = self.dropout1(torch.relu(self.fc1(self.norm(x_BD))))
        return x_BD + self.dropout2(self.fc2(inner))


class TableNet(nn.Module):
    """numeric [B, N] float and category [B, C] int64 -> [B, num_outputs]; a kind the table does not have is left out.

    Linear layers keep torch's initialisation (uniform, variance 1 / (3 fan-in)); category embeddings start normal with deviation
    1 / sqrt(E).
    """

    def __init__(
        self,
        num_numeric: int,
        cardinalities: Sequence[int],
        num_outputs: int,
        width: int = 192,
        depth: int = 2,
        dropout: float = 0.1,
        embedding: str = "periodic",
        embedding_width: int = 16,
        frequencies: int = 32,
        frequency_scale: float = 0.3,
    ):
        super().__init__()
        periodic = embedding == "periodic" and num_numeric > 0
        self.numeric = Periodic(num_numeric, frequencies, embedding_width, frequency_scale) if periodic else nn.Identity()
        self.categories = nn.ModuleList(nn.Embedding(size, embedding_width) for size in cardinalities)
        for table in self.categories.parameters():
            nn.init.normal_(table, std=embedding_width**-0.5)
        self.num_numeric = num_numeric
        self.first = nn.Linear(num_numeric * (embedding_width if periodic else 1) + len(cardinalities) * embedding_width, width)
        self.blocks = nn.ModuleList(Block(width, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.last = nn.Linear(width, num_outputs)

    def forward(self, numeric: Tensor | None = None, category: Tensor | None = None) -> Tensor:
        parts = [self.numeric(numeric).flatten(1)] if self.num_numeric else []
        if category is not None:
            parts += [table(category[:, column]) for column, table in enumerate(self.categories)]
        x_BD = self.first(torch.cat(parts, dim=1))
        for block in self.blocks:
            x_BD = block(x_BD)
        return self.last(torch.relu(self.norm(x_BD)))


@dataclass(frozen=True)
class TabularNet:
    """Residual network for tables of numbers and categories.

    中文: 表格残差网络，用于数值列与类别列

    width: width of the stream ｜ 残差流的宽度（隐藏维度）
    depth: residual blocks ｜ 残差块数
    dropout: rate in each block ｜ 每块内的丢弃率
    embedding: how numbers enter, by sines and cosines of learned frequencies, or as they are
        ｜ 数值如何输入：periodic 取可学习频率的正弦与余弦，none 原样输入
    embedding_width: width of the embedding of a number or a category ｜ 每个数值或类别的嵌入宽度
    frequencies: frequencies a number ｜ 每个数值的频率个数
    frequency_scale: deviation of the frequencies at the start ｜ 频率初值的标准差
    num_numeric: numeric columns (null: from the data) ｜ 数值列数（null：取自数据）
    cardinalities: categories of each categorical column (null: from the data) ｜ 各类别列的类别数（null：取自数据）
    num_outputs: classes or target columns (null: from the data) ｜ 类别数或目标列数（null：取自数据）

    Scope: 11.3
    """

    width: PositiveInt = 192
    depth: PositiveInt = 2
    dropout: Rate = 0.1
    embedding: Literal["periodic", "none"] = "periodic"
    embedding_width: PositiveInt = 16
    frequencies: PositiveInt = 32
    frequency_scale: Positive = 0.3
    num_numeric: NonNegativeInt | None = None
    cardinalities: tuple[PositiveInt, ...] | None = None
    num_outputs: PositiveInt | None = None

    def __call__(self, facts: Facts | None = None) -> TableNet:
        """Raises BadInput when the data is no table, or disagrees with a field."""
        if facts is not None and (facts.vocab is not None or len(facts.shape) != 1):
            instead = "bert, gpt" if facts.vocab is not None else "resnet, cnn, vit"
            raise BadInput(messages.NET_NEEDS_TABLE, model="tabular_net", found=described(facts), instead=instead)
        return named(
            TableNet(
                settled("tabular_net", "num_numeric", self.num_numeric, facts.shape[0] if facts else None),
                settled("tabular_net", "cardinalities", self.cardinalities, facts.cardinalities if facts else None),
                outputs("tabular_net", "num_outputs", self.num_outputs, facts),
                self.width,
                self.depth,
                self.dropout,
                self.embedding,
                self.embedding_width,
                self.frequencies,
                self.frequency_scale,
            )
        )
