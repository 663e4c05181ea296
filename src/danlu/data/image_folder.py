"""A person's own images, a folder a class: found, checked, decoded once into bytes; `encode` makes any image what training saw.

Shapes: B rows, C channels (1 or 3), H height, W width.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from danlu import messages
from danlu.data.image_files import Found, ImageFile, found_images, image_root, known, labelled
from danlu.data.image_pixels import GREY, Fit, Look, all_of, any_pixels, look_at, pixels_of
from danlu.data.images import Augment, Images, channel_statistics, image_data
from danlu.data.own_split import Note, in_order, note, sizes, split_rows, without_validation
from danlu.data.source import Data
from danlu.data.table_split import PARTS, TRAIN
from danlu.errors import BadInput
from danlu.fields import NonNegativeInt, PositiveInt

CAP = 64  # pixels of a side that are kept unless `size` says more: a CPU trains on that in minutes


@dataclass(frozen=True)
class ImageFolder:
    """Images of your own, a subfolder a class: JPEG, PNG, BMP, WebP, GIF (first frame) or TIFF. Needs Pillow, from the extra `vision`.

    Folders `train`, `val` and `test` that hold the class folders are respected. What they do not say is settled by a hash of each file:
    10 % test and 10 % val, and a class that has 3 different images has one in each part. Images are turned as their EXIF tells, laid on
    white where they are transparent, 16 bits become 8, and are kept in memory as bytes. Inputs are float32 [B, C, H, W], standardised by
    the train images; C is 1 when all of these are grey, else 3.

    path: the folder ｜ 图像文件夹
    val_path: a folder of validation images, with a subfolder a class ｜ 验证图像的文件夹，每个类别一个子文件夹
    test_path: a folder of test images, with a subfolder a class ｜ 测试图像的文件夹，每个类别一个子文件夹
    size: pixels of a side; null takes the train images' own if all are equal, else the median of their shorter sides, up to 64
        ｜ 边长（像素）；null：训练图像尺寸全都相同时取原尺寸，否则取短边的中位数，至多 64
    fit: crop keeps the shape of things and cuts what is beyond the middle square; stretch keeps all of an image
        ｜ crop 保持物体比例，裁掉中央正方形以外的部分；stretch 保留整张图像，但会拉伸变形
    augment: none, flip (left to right), or flip_crop (flip, and move by up to an eighth); train only
        ｜ none 不增强，flip 随机左右翻转，flip_crop 翻转并随机平移至多八分之一；只用于训练集
    workers: processes that fetch rows; 0 fetches in the main process ｜ 取数据的子进程数；0 为在主进程中取

    中文: 自己的图像文件夹：每个类别一个子文件夹。

    中文: 支持 JPEG、PNG、BMP、WebP、GIF（取第一帧）与 TIFF；需要 Pillow（可选组件 `vision`）。若有 `train`、`val`、
    `test` 文件夹且内含各类别的文件夹，则照此划分；其余由每个文件的哈希决定：10% 作测试集，10% 作验证集，某个类别有 3 张及以上不同的图像时，
    每个部分都有它的图像。图像按 EXIF 转正，透明处衬白底，16 位转为 8 位，以字节存于内存。输入为 float32 `[B, C, H, W]`，按训练图像标准化；
    训练图像全为灰度时 C 为 1，否则为 3。
    Scope: 12.2
    """

    path: str = ""
    val_path: str = ""
    test_path: str = ""
    size: PositiveInt | None = None
    fit: Fit = "crop"
    augment: Augment = "none"
    workers: NonNegativeInt = 0

    def __call__(self) -> Data:
        if not self.path:
            raise BadInput(messages.IMAGE_NO_PATH)
        found = found_images(self.path, self.val_path, self.test_path)
        labels = in_order({file.label for file in found.files if file.part == TRAIN})
        _check(self, found.files, labels)
        place = {label: number for number, label in enumerate(labels)}
        paths = [file.path for file in found.files]
        looks = all_of(paths, look_at)
        y = np.array([place[file.label] for file in found.files])
        given = np.array([file.part for file in found.files], np.int8)
        hashes = np.array([look.hash for look in looks], np.uint64)
        parts, how = split_rows(hashes, y, given)
        train = [look for look, part in zip(looks, parts) if part == TRAIN]
        channels = 1 if all(look.mode in GREY for look in train) else 3
        height, width = _size(train) if self.size is None else (self.size, self.size)
        decoded = np.empty((len(y), channels, height, width), np.uint8)
        for row, pixels in enumerate(all_of(paths, lambda path: pixels_of(path, channels, height, width, self.fit))):
            decoded[row] = pixels
        notes = found.notes + _notes(found.files, looks, y, parts, labels, how, (channels, height, width), self.fit)
        splits = {
            name: (torch.from_numpy(decoded[parts == part]), torch.from_numpy(y[parts == part]))
            for part, name in enumerate(PARTS)
            if (parts == part).any()
        }
        mean, std = channel_statistics(splits["train"][0])
        return image_data(splits, labels, mean, std, self.augment, self.workers, fit=self.fit, notes=notes)


def encode(form: Mapping[str, Any], images: Iterable[Any]) -> Tensor:
    """Images as training sees them, float32 [B, C, H, W].

    images: paths, PIL images, or uint8 arrays [H, W], [H, W, C] or [C, H, W] with 1, 3 or 4 channels. form: `Data.preprocess` of kind
    "images", and `shape`, the (C, H, W) of the data's facts. Raises BadInput for what cannot be read, by its path or its place from 0.
    """
    channels, height, width = form["shape"]
    shape, fit = (channels, height, width), form.get("fit", "crop")
    rows = [torch.from_numpy(any_pixels(image, row, shape, fit)) for row, image in enumerate(images)]
    pixels = torch.stack(rows) if rows else torch.empty(0, channels, height, width, dtype=torch.uint8)
    count = torch.arange(len(rows))
    return Images(pixels, count, tuple(form["mean"]), tuple(form["std"])).fetch(count, 0)[0]


def read_rows(form: Mapping[str, Any], path: str | Path) -> tuple[list[Path], Tensor, list[str]]:
    """Images to evaluate on, in class folders: (their paths, their classes int64 [rows], their names within the folder).

    Raises BadInput for a folder that is none of the form's labels.
    """
    root, labels = image_root(path), tuple(form["labels"])
    files = list(labelled(root, TRAIN, Found([], [])))
    if not files:
        raise BadInput(messages.IMAGE_NONE, path=root)
    known(root, files, labels)
    place = {label: number for number, label in enumerate(labels)}
    targets = torch.tensor([place[file.label] for file in files])
    return [file.path for file in files], targets, [file.path.relative_to(root).as_posix() for file in files]


def _check(asked: ImageFolder, files: Sequence[ImageFile], labels: Sequence[str]) -> None:
    if not labels:
        raise BadInput(messages.IMAGE_NONE, path=asked.path)
    if len(labels) == 1:
        raise BadInput(messages.IMAGE_ONE_CLASS, path=asked.path, label=labels[0], count=sum(file.part == TRAIN for file in files))
    known(asked.path, [file for file in files if file.part != TRAIN], labels)


def _size(looks: Sequence[Look]) -> tuple[int, int]:
    """Height and width: the images' own where all have the same and no side is above the cap, else a square of the median shorter side."""
    shapes = {(look.height, look.width) for look in looks}
    if len(shapes) == 1 and max(min(shapes)) <= CAP:
        return min(shapes)
    side = min(CAP, int(np.median([min(look.height, look.width) for look in looks])))
    return side, side


def _notes(
    files: Sequence[ImageFile],
    looks: Sequence[Look],
    y: np.ndarray,
    parts: np.ndarray,
    labels: Sequence[str],
    how: str,
    shape: tuple[int, int, int],
    fit: Fit,
) -> list[Note]:
    shown = ", ".join(labels[:20]) + (", ..." if len(labels) > 20 else "")
    channels, height, width = shape
    colour = messages.IMAGE_COLOURS[channels]
    notes = [
        note(messages.IMAGE_CLASSES, count=len(labels), labels=shown),
        note(messages.IMAGE_SPLIT_SIZES, **sizes(parts), how=messages.IMAGE_HOW[how]),
    ]
    if resized := sum((look.height, look.width) != (height, width) for look in looks):
        notes.append(note(messages.IMAGE_RESIZED, count=resized, height=height, width=width, colour=colour, fit=messages.IMAGE_FIT[fit]))
    else:
        notes.append(note(messages.IMAGE_AS_IS, height=height, width=width, colour=colour))
    for label, count in without_validation(parts, y, labels):
        notes.append(note(messages.IMAGE_NO_VALIDATION, label=label, count=count))
    first: dict[int, int] = {}
    twins = [(first.setdefault(look.hash, row), row) for row, look in enumerate(looks)]
    for sentence, values in ((messages.IMAGE_TWO_CLASSES, y), (messages.IMAGE_TWO_PARTS, parts)):
        if pairs := [(one, other) for one, other in twins if values[one] != values[other]]:
            one, other = pairs[0]
            notes.append(note(sentence, count=len(pairs), first=str(files[one].path), second=str(files[other].path)))
    return notes
