"""A small convolutional network for small images: cheap enough to train on two CPU cores in minutes.

Every stage halves the image before it widens, so most of the work is done on few pixels: about 15 MFLOPs forward for one 28x28 image.
It is halved before it is normalised, so that norm and ReLU see a quarter of the pixels, and channels lie last in memory, which is the
order that convolutions on CPU are fast in: together 0.6 of the time of a step.

Shapes: B batch, C channels, H height, W width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from danlu import messages
from danlu.data.source import Facts
from danlu.errors import BadInput
from danlu.fields import PositiveInt, Rate
from danlu.nets.dropout import Dropout, SpatialDropout, named
from danlu.nets.facts import image, outputs, settled


class Block(nn.Sequential):
    """x [B, C, H, W] -> [B, out_channels, H, W], halved if asked for: 3x3 convolution, max-pooling, batch norm, ReLU, dropout."""

    def __init__(self, in_channels: int, out_channels: int, halve: bool, dropout: float):
        conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")  # He et al. 2015
        smaller = nn.MaxPool2d(2) if halve else nn.Identity()
        super().__init__(conv, smaller, nn.BatchNorm2d(out_channels), nn.ReLU(), SpatialDropout(dropout))


class ConvNet(nn.Module):
    """x [B, C, H, W] -> [B, num_classes]: blocks, all but the last halving, mean and maximum over pixels, dropout, linear."""

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        widths: Sequence[int] = (32, 64, 128),
        dropout: float = 0.1,
        spatial_dropout: float = 0.0,
    ):
        super().__init__()
        last = len(widths) - 1
        sizes = zip((in_channels, *widths), widths)
        blocks = (Block(before, width, place != last, spatial_dropout) for place, (before, width) in enumerate(sizes))
        self.blocks = nn.Sequential(*blocks)
        self.dropout = Dropout(dropout)
        self.fc = nn.Linear(2 * widths[-1], num_classes)
        nn.init.normal_(self.fc.weight, std=self.fc.in_features**-0.5)
        nn.init.zeros_(self.fc.bias)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor) -> Tensor:
        x_BCHW = self.blocks(x.contiguous(memory_format=torch.channels_last))
        pooled_BC = torch.cat([x_BCHW.mean((2, 3)), x_BCHW.amax((2, 3))], dim=1)
        return self.fc(self.dropout(pooled_BC))


@dataclass(frozen=True)
class CNN:
    """Small convolutional network for images of about 28x28 or 32x32 pixels.

    中文: 小型卷积网络，适合 28x28、32x32 左右的图像

    widths: channels of each stage; the image is halved between stages ｜ 各阶段的通道数；阶段之间图像边长减半
    dropout: rate before the last layer ｜ 最后一层之前的丢弃率
    spatial_dropout: rate after each stage, of whole channels ｜ 每个阶段之后的丢弃率，按整个通道丢弃
    in_channels: channels of the images (null: from the data) ｜ 图像的通道数（null：取自数据）
    num_classes: classes or target columns (null: from the data) ｜ 类别数或目标列数（null：取自数据）

    Scope: 11.3, 2.8
    """

    widths: tuple[PositiveInt, ...] = (32, 64, 128)
    dropout: Rate = 0.1
    spatial_dropout: Rate = 0.0
    in_channels: PositiveInt | None = None
    num_classes: PositiveInt | None = None

    def __call__(self, facts: Facts | None = None) -> ConvNet:
        """Raises BadInput when the data has no images, too small ones, or disagrees with a field."""
        channels, height, width = image("cnn", facts)
        halvings = len(self.widths) - 1
        if height is not None and width is not None and min(height, width) < 2**halvings:
            raise BadInput(messages.NET_IMAGE_TOO_SMALL, model="cnn", height=height, width=width, halvings=halvings)
        in_channels = settled("cnn", "in_channels", self.in_channels, channels)
        classes = outputs("cnn", "num_classes", self.num_classes, facts)
        return named(ConvNet(in_channels, classes, self.widths, self.dropout, self.spatial_dropout))
