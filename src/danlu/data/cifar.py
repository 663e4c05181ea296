"""Small colour photographs of ten kinds of things (Krizhevsky 2009), kept as JPEG files in one archive for each split."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from danlu import messages
from danlu.data.cached import cached
from danlu.data.find_files import dataset_folder
from danlu.data.images import Augment, image_data
from danlu.data.source import Data
from danlu.data.splits import cut
from danlu.errors import BadInput
from danlu.fields import NonNegativeInt
from danlu.packed import check_stored

FILES = {
    "train.npz": "bef8f71a0795f9f2d5422416dfbd89c6bba738d1ee3e4947aaaf1bcefcfb9a6b",
    "test.npz": "2033a6014f8f3796606f27fe70a5221294de687222695c8319ae9ff925c5e6da",
}
LABELS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@dataclass(frozen=True)
class CIFAR10:
    """CIFAR-10 (Krizhevsky 2009) from JPEG files: 32 x 32 colour images of 10 classes; 45,000 train, 5,000 val, 10,000 test rows.

    The test rows are the official ones; val is cut from the 50,000 official training rows, 500 of each class. The images went through
    lossy JPEG (quality 75), so accuracies are not those published on CIFAR-10. Needs Pillow, from the extra `vision`.

    augment: none, flip (left to right), or flip_crop (flip, and move by up to 4 pixels); train only
        ｜ none 不增强，flip 随机左右翻转，flip_crop 翻转并随机平移至多 4 个像素；只用于训练集
    workers: processes that fetch rows; 0 fetches in the main process ｜ 取数据的子进程数；0 为在主进程中取

    中文: CIFAR-10（JPEG 版）：10 类 32×32 彩色图像；因有损压缩，准确率不可与公开数字直接比较。

    中文: 训练 45,000 行、验证 5,000 行、测试 10,000 行：测试集即官方测试集，验证集从官方的 50,000 行训练数据中每类取 500 行。
    图像经过有损的 JPEG 压缩（质量 75），准确率不能与 CIFAR-10 上公开的数字相比。需要 Pillow（可选组件 `vision`）。
    Scope: 2.1, 6.5
    """

    augment: Augment = "none"
    workers: NonNegativeInt = 0
    name: ClassVar[str] = "cifar10"

    def __call__(self) -> Data:
        folder = dataset_folder("cifar10_jpeg", FILES)
        images, labels = _decoded(folder, "train")
        train, val = cut(len(labels), 0.1, classes=labels)
        splits = {"train": (images[train], labels[train]), "val": (images[val], labels[val]), "test": _decoded(folder, "test")}
        mean, std = (125.3, 123.0, 113.9), (62.5, 61.9, 66.5)
        return image_data(splits, LABELS, mean, std, self.augment, self.workers)


def _decoded(folder: Path, part: str) -> tuple[Tensor, Tensor]:
    file = f"{part}.npz"
    arrays = cached(f"cifar10-{part}-{FILES[file][:16]}", lambda: decode(folder / file))
    return torch.from_numpy(arrays["images"]), torch.from_numpy(arrays["labels"]).long()


def decode(path: Path) -> dict[str, np.ndarray]:
    """Images [rows, 3, 32, 32] uint8 and labels [rows] uint8 of an archive of JPEG files: image i is blob[offset[i]:offset[i + 1]].

    Raises BadInput without Pillow, and for an image that cannot be read (named by its row).
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise BadInput(messages.EXTRA_NEEDED, model="cifar10", package="pillow", extra="vision") from error
    try:
        check_stored(path)
        with np.load(path, allow_pickle=False) as file:
            blob, offset, labels = file["blob"].tobytes(), file["offset"], file["label"]
    except (ValueError, KeyError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        raise BadInput(messages.DATA_FILE_UNREADABLE, path=path, kind="npz (blob, offset, label)", reason=error) from error
    images = np.empty((len(labels), 32, 32, 3), np.uint8)
    for row in range(len(labels)):
        try:
            with Image.open(io.BytesIO(blob[offset[row] : offset[row + 1]])) as image:
                images[row] = np.asarray(image.convert("RGB"))
        except (OSError, ValueError, SyntaxError) as error:  # SyntaxError: what Pillow raises for some damaged headers
            raise BadInput(messages.IMAGE_UNREADABLE, path=path, row=row, reason=error) from error
    return {"images": np.ascontiguousarray(images.transpose(0, 3, 1, 2)), "labels": labels}
