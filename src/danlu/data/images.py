"""Images in memory as bytes, augmented and normalised as they are fetched.

Augmentation is drawn by (the key of the pass, row), so it is the same whatever the batch or the worker: flip mirrors half of the images
left to right, flip_crop also moves each by up to an eighth of its height, with black coming in at the edge (as He et al. 2016 did on
CIFAR). Shapes: B rows, C channels, H height, W width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from danlu.data.fingerprint import fingerprint
from danlu.data.source import Data, Facts
from danlu.keys import uniform

Augment = Literal["none", "flip", "flip_crop"]


@dataclass(frozen=True, eq=False)
class Images:
    """Rows of images: `images` uint8 [rows, C, H, W]; inputs are float32 [B, C, H, W], (byte - mean) / std by channel."""

    images: Tensor
    targets: Tensor
    mean: tuple[float, ...]  # of each channel, in bytes (0 to 255)
    std: tuple[float, ...]
    augment: Augment = "none"
    workers: int = 0

    @property
    def fixed(self) -> bool:
        return self.augment == "none"

    def __len__(self) -> int:
        return len(self.images)

    def fetch(self, ids: Tensor, draw: int) -> tuple[Tensor, Tensor]:
        bytes_BCHW = self.images.index_select(0, ids)
        if self.augment != "none":
            draws_B3 = uniform(ids, "augment", draw, shape=(3,))
            bytes_BCHW = augmented(bytes_BCHW, draws_B3, bytes_BCHW.shape[2] // 8 if self.augment == "flip_crop" else 0)
        mean = torch.tensor(self.mean).view(-1, 1, 1)
        std = torch.tensor(self.std).view(-1, 1, 1)
        return bytes_BCHW.to(torch.float32).sub_(mean).div_(std), self.targets.index_select(0, ids)

    def content(self) -> tuple[Any, Any]:
        return self.images, self.targets


def augmented(images: Tensor, draws: Tensor, pad: int) -> Tensor:
    """Mirrored and moved images, [B, C, H, W] as given.

    draws: [B, 3] in [0, 1): mirror below one half; place of the window from the top and from the left in an image with `pad` black
    pixels around it.
    """
    rows, channels, height, width = images.shape
    y_BH = (draws[:, 1] * (2 * pad + 1)).long()[:, None] + torch.arange(height)
    x_BW = (draws[:, 2] * (2 * pad + 1)).long()[:, None] + torch.arange(width)
    x_BW = torch.where(draws[:, :1] < 0.5, x_BW.flip(1), x_BW)
    padded = torch.nn.functional.pad(images, (pad, pad, pad, pad))
    row, channel = torch.arange(rows).view(-1, 1, 1, 1), torch.arange(channels).view(1, -1, 1, 1)
    return padded[row, channel, y_BH[:, None, :, None], x_BW[:, None, None, :]]


def channel_statistics(images: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel of uint8 images [rows, C, H, W], in bytes; a constant channel has deviation 1."""
    counts = torch.stack([_histogram(images[:, channel]) for channel in range(images.shape[1])]).double()  # [C, 256]
    value, total = torch.arange(256, dtype=torch.float64), counts.sum(1)
    mean = counts @ value / total
    std = (counts @ value**2 / total - mean**2).clamp(min=0).sqrt()
    return tuple(mean.tolist()), tuple(torch.where(std > 0, std, torch.ones(())).tolist())


def _histogram(channel: Tensor) -> Tensor:
    parts = (
        torch.bincount(part.reshape(-1).int(), minlength=256) for part in channel.split(4096)
    )  # in parts: int32 is four times the bytes
    return sum(parts, start=torch.zeros(256, dtype=torch.int64))


def image_data(
    splits: dict[str, tuple[Tensor, Tensor]],
    labels: tuple[str, ...],
    mean: tuple[float, ...],
    std: tuple[float, ...],
    augment: Augment,
    workers: int,
    **preprocess: Any,
) -> Data:
    """Data for classifying images; `splits` is {"train" | "val" | "test": (images uint8, targets)}, and only train is augmented."""
    made = {name: Images(*pair, mean, std, augment if name == "train" else "none", workers) for name, pair in splits.items()}
    images, targets = splits["train"]
    facts = Facts(
        task="classify",
        shape=tuple(images.shape[1:]),
        outputs=len(labels),
        labels=labels,
        class_counts=tuple(torch.bincount(targets, minlength=len(labels)).tolist()),
        rows=len(images),
    )
    form = {"kind": "images", "mean": list(mean), "std": list(std), "labels": list(labels), **preprocess}
    return Data(facts=facts, fingerprint=fingerprint(*(made.get(name) for name in ("train", "val", "test"))), preprocess=form, **made)
