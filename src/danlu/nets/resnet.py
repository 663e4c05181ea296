"""Residual networks: basic blocks (18, 34), bottlenecks (50, 101, 152), and the thin ones for CIFAR (20, 32, 44, 56, 110).

He et al. 2016, "Deep residual learning for image recognition"; in bottlenecks the 3x3 convolution carries the stride (Goyal et al. 2017).
Parameter names are the usual ones (conv1, layer1.0.conv1, downsample, fc), so published weights load.

Shapes: B batch, C channels, H height, W width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from danlu.data.source import Facts
from danlu.fields import PositiveInt, Rate
from danlu.nets.dropout import DropPath, depth_rates, named
from danlu.nets.facts import image, outputs, settled

LAYERS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def conv(in_channels: int, out_channels: int, size: int, stride: int = 1) -> nn.Conv2d:
    """A convolution that keeps the image's size (at stride 1), without bias: batch norm follows."""
    return nn.Conv2d(in_channels, out_channels, size, stride, padding=size // 2, bias=False)


def shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module | None:
    """A projection where the shape changes (option B of the paper), else None: the identity."""
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.Sequential(conv(in_channels, out_channels, 1, stride), nn.BatchNorm2d(out_channels))


class BasicBlock(nn.Module):
    """x [B, C, H, W] -> [B, width, H / stride, W / stride]: two 3x3 convolutions beside a shortcut."""

    expansion: ClassVar[int] = 1

    def __init__(self, in_channels: int, width: int, stride: int, drop_path: float):
        super().__init__()
        self.conv1, self.bn1 = conv(in_channels, width, 3, stride), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width, 3), nn.BatchNorm2d(width)
        self.downsample = shortcut(in_channels, width, stride)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        skip = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.bn2(self.conv2(x))
        return F.relu(self.drop_path(x) + skip)


class Bottleneck(nn.Module):
    """x [B, C, H, W] -> [B, 4 width, H / stride, W / stride]: 1x1, 3x3 and 1x1 convolutions beside a shortcut."""

    expansion: ClassVar[int] = 4

    def __init__(self, in_channels: int, width: int, stride: int, drop_path: float):
        super().__init__()
        self.conv1, self.bn1 = conv(in_channels, width, 1), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width, 3, stride), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = conv(width, 4 * width, 1), nn.BatchNorm2d(4 * width)
        self.downsample = shortcut(in_channels, 4 * width, stride)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        skip = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        x = self.bn3(self.conv3(x))
        return F.relu(self.drop_path(x) + skip)


class ResidualNet(nn.Module):
    """x [B, C, H, W] -> [B, num_classes].

    layers: blocks of each stage; a stage halves the image and doubles the channels. stem: "imagenet" (7x7 at stride 2, then max-pooling:
    a quarter of the size) or "small" (3x3 at full size). Convolutions start as in He et al. 2015 (fan-out); the last batch norm of each
    block starts at zero, so that every block starts as its shortcut (Goyal et al. 2017, section 5.1).
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        layers: Sequence[int],
        in_channels: int,
        num_classes: int,
        width: int = 64,
        stem: str = "imagenet",
        drop_path: float = 0.0,
    ):
        super().__init__()
        self.conv1 = conv(in_channels, width, 7, stride=2) if stem == "imagenet" else conv(in_channels, width, 3)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1) if stem == "imagenet" else nn.Identity()
        rates = iter(depth_rates(drop_path, sum(layers)))
        channels, self.num_stages = width, len(layers)
        for stage, blocks in enumerate(layers):
            made = []
            for number in range(blocks):
                stride = 2 if stage > 0 and number == 0 else 1
                made.append(block(channels, width << stage, stride, next(rates)))
                channels = block.expansion * (width << stage)
            self.add_module(f"layer{stage + 1}", nn.Sequential(*made))
        self.fc = nn.Linear(channels, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, BasicBlock):
                nn.init.zeros_(module.bn2.weight)
            elif isinstance(module, Bottleneck):
                nn.init.zeros_(module.bn3.weight)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # the order in memory that convolutions are fast in, on CPU and on tensor cores

    def forward(self, x: Tensor) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last)
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        for stage in range(self.num_stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.fc(x.mean((2, 3)))


@dataclass(frozen=True)
class ResNet:
    """Residual network for images.

    中文: 残差网络，用于图像

    depth: 18, 34 (basic blocks), 50, 101, 152 (bottlenecks), or 20, 32, 44, 56, 110 (three thin stages, for CIFAR)
        ｜ 深度：18、34（基本块），50、101、152（瓶颈块），或 20、32、44、56、110（三个窄阶段，用于 CIFAR）
    width: channels of the first stage (null: 16 for the thin ones, else 64) ｜ 第一阶段的通道数（null：窄网络为 16，其余为 64）
    stem: imagenet quarters the image first, small keeps its size (null: small for the thin ones and for images below 96 pixels)
        ｜ imagenet 先把图像边长缩到四分之一，small 保持原大小（null：窄网络以及小于 96 像素的图像用 small）
    drop_path: rate of the last block in stochastic depth ｜ 随机深度中最后一块的丢弃率
    in_channels: channels of the images (null: from the data) ｜ 图像的通道数（null：取自数据）
    num_classes: classes or target columns (null: from the data) ｜ 类别数或目标列数（null：取自数据）

    Scope: 11.3
    """

    name: ClassVar[str] = "resnet"
    depth: Literal[18, 34, 50, 101, 152, 20, 32, 44, 56, 110] = 18
    width: PositiveInt | None = None
    stem: Literal["imagenet", "small"] | None = None
    drop_path: Rate = 0.0
    in_channels: PositiveInt | None = None
    num_classes: PositiveInt | None = None

    def __call__(self, facts: Facts | None = None) -> ResidualNet:
        """Raises BadInput when the data has no images, or disagrees with a field."""
        channels, height, width = image("resnet", facts)
        thin = self.depth not in LAYERS
        small = thin or (height is not None and width is not None and min(height, width) < 96)
        return named(
            ResidualNet(
                Bottleneck if self.depth >= 50 and not thin else BasicBlock,
                ((self.depth - 2) // 6,) * 3 if thin else LAYERS[self.depth],
                settled("resnet", "in_channels", self.in_channels, channels),
                outputs("resnet", "num_classes", self.num_classes, facts),
                self.width or (16 if thin else 64),
                self.stem or ("small" if small else "imagenet"),
                self.drop_path,
            )
        )
