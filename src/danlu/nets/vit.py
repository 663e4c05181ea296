"""Vision transformer: an image as a row of patches, read by a pre-norm encoder.

Dosovitskiy et al. 2021, "An image is worth 16x16 words"; mean pooling instead of a class token as in Zhai et al. 2022.

Shapes: B batch, C channels, Y and X image height and width, T patches (and the class token), D width, H heads, K width of a head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, cast

import torch
from torch import Tensor, nn

from danlu.data.source import Facts
from danlu.fields import PositiveInt, Rate
from danlu.nets.attention import attend, heads, joined
from danlu.nets.dropout import Dropout, DropPath, depth_rates, named
from danlu.nets.facts import divides, image, outputs, settled


class Block(nn.Module):
    """x_BTD -> [B, T, D]: self-attention, then a GELU layer four times as wide, each after a layer norm and beside a shortcut."""

    def __init__(self, width: int, num_heads: int, dropout: float, drop_path: float):
        super().__init__()
        self.num_heads = num_heads
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.activation = nn.GELU()
        self.attention_dropout = Dropout(0.0)
        self.dropout1, self.dropout2, self.dropout3 = Dropout(dropout), Dropout(dropout), Dropout(dropout)
        self.drop_path1, self.drop_path2 = DropPath(drop_path), DropPath(drop_path)

    def forward(self, x_BTD: Tensor) -> Tensor:
        q_BHTK, k_BHTK, v_BHTK = (heads(part, self.num_heads) for part in self.qkv(self.norm1(x_BTD)).chunk(3, dim=-1))
        mixed_BTD = self.proj(joined(attend(q_BHTK, k_BHTK, v_BHTK, self.attention_dropout)))
        x_BTD = x_BTD + self.drop_path1(self.dropout1(mixed_BTD))
        inner = self.dropout2(self.activation(self.fc1(self.norm2(x_BTD))))
        return x_BTD + self.drop_path2(self.dropout3(self.fc2(inner)))


class VisionTransformer(nn.Module):
    """x [B, C, Y, X] -> [B, num_classes]. Y and X are those it was built for.

    Linear layers start as Xavier uniform, positions and the last layer normal with deviation 0.02.
    """

    def __init__(
        self,
        image_size: tuple[int, int],
        in_channels: int,
        num_classes: int,
        patch: int = 4,
        width: int = 192,
        depth: int = 6,
        num_heads: int = 6,
        pool: str = "token",
        dropout: float = 0.0,
        drop_path: float = 0.0,
    ):
        super().__init__()
        num_patches = (image_size[0] // patch) * (image_size[1] // patch)
        self.patches = nn.Conv2d(in_channels, width, patch, stride=patch)
        self.token = nn.Parameter(torch.zeros(1, 1, width)) if pool == "token" else None
        self.positions = nn.Parameter(torch.randn(1, num_patches + (pool == "token"), width) * 0.02)
        self.dropout = Dropout(dropout)
        self.blocks = nn.ModuleList(Block(width, num_heads, dropout, rate) for rate in depth_rates(drop_path, depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        nn.init.xavier_uniform_(self.patches.weight.view(width, -1))
        nn.init.zeros_(cast(Tensor, self.patches.bias))
        nn.init.normal_(self.head.weight, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        x_BTD = self.patches(x).flatten(2).transpose(1, 2)
        if self.token is not None:
            x_BTD = torch.cat([self.token.expand(len(x), -1, -1), x_BTD], dim=1)
        x_BTD = self.dropout(x_BTD + self.positions)
        for block in self.blocks:
            x_BTD = block(x_BTD)
        x_BTD = self.norm(x_BTD)
        return self.head(x_BTD[:, 0] if self.token is not None else x_BTD.mean(1))


@dataclass(frozen=True)
class ViT:
    """Vision transformer for images.

    中文: 视觉 Transformer，用于图像

    patch: side of a patch in pixels; it divides the image's height and width ｜ 图像块的边长（像素），须整除图像的高与宽
    width: width of the stream ｜ 残差流的宽度（隐藏维度）
    depth: blocks ｜ 块数
    heads: attention heads of a block; they divide the width ｜ 每块的注意力头数，须整除宽度
    pool: what the answer is read from, the class token or the mean over patches
        ｜ 由什么得出答案：分类词元（class token），或各图像块的均值
    dropout: rate after the embedding and in each block ｜ 丢弃率，用于嵌入之后与每块之内
    drop_path: rate of the last block in stochastic depth ｜ 随机深度中最后一块的丢弃率
    image_size: side of the (square) images in pixels (null: from the data) ｜ （正方形）图像的边长（像素；null：取自数据）
    in_channels: channels of the images (null: from the data) ｜ 图像的通道数（null：取自数据）
    num_classes: classes or target columns (null: from the data) ｜ 类别数或目标列数（null：取自数据）

    Scope: 11.3
    """

    name: ClassVar[str] = "vit"
    patch: PositiveInt = 4
    width: PositiveInt = 192
    depth: PositiveInt = 6
    heads: PositiveInt = 6
    pool: Literal["token", "mean"] = "token"
    dropout: Rate = 0.0
    drop_path: Rate = 0.0
    image_size: PositiveInt | None = None
    in_channels: PositiveInt | None = None
    num_classes: PositiveInt | None = None

    def __call__(self, facts: Facts | None = None) -> VisionTransformer:
        """Raises BadInput when the data has no images, disagrees with a field, or when a size does not divide another."""
        channels, height, width = image("vit", facts)
        in_channels = settled("vit", "in_channels", self.in_channels, channels)
        size = (
            settled("vit", "image_size", self.image_size, height),
            settled("vit", "image_size", self.image_size, width),
        )
        for whole, value in zip(("height", "width"), size):
            divides("vit", f"image {whole}", value, "patch", self.patch)
        divides("vit", "width", self.width, "heads", self.heads)
        answers = outputs("vit", "num_classes", self.num_classes, facts)
        return named(
            VisionTransformer(
                size, in_channels, answers, self.patch, self.width, self.depth, self.heads, self.pool, self.dropout, self.drop_path
            )
        )
