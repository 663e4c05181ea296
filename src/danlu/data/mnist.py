"""Handwritten digits and articles of clothing: 28 x 28 grey images in the IDX format of LeCun et al. 1998."""

from __future__ import annotations

import gzip
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from danlu import messages
from danlu.data.find_files import dataset_folder, local_folder
from danlu.data.images import Augment, image_data
from danlu.data.source import Data
from danlu.data.splits import cut
from danlu.errors import BadInput
from danlu.fields import NonNegativeInt

FASHION_URL = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"
FASHION_FILES = {
    "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}
FASHION_LABELS = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
MNIST_URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
MNIST_TEST_URL = "https://raw.githubusercontent.com/patrick-kidger/equinox/main/docs/examples/MNIST/MNIST/raw/"
MNIST_TEST_FILES = {
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
MNIST_FILES = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    **MNIST_TEST_FILES,
}
MOST = 1 << 26  # bytes that a file may become; 60,000 images are 47 million
VAL_SHARE = 5000 / 60000  # of the official training rows


@dataclass(frozen=True)
class FashionMNIST:
    """Fashion-MNIST (Xiao et al. 2017): 28 x 28 grey images of 10 kinds of clothing; 55,000 train, 5,000 val, 10,000 test rows.

    The test rows are the official ones; val is cut from the 60,000 official training rows, 500 of each class.

    augment: none, flip (left to right), or flip_crop (flip, and move by up to 3 pixels); train only
        ｜ none 不增强，flip 随机左右翻转，flip_crop 翻转并随机平移至多 3 个像素；只用于训练集
    workers: processes that fetch rows; 0 fetches in the main process ｜ 取数据的子进程数；0 为在主进程中取

    中文: Fashion-MNIST：10 类服饰的 28×28 灰度图像。

    中文: 训练 55,000 行、验证 5,000 行、测试 10,000 行：测试集即官方测试集，验证集从官方的 60,000 行训练数据中每类取 500 行。
    Scope: 2.1, 6.5
    """

    augment: Augment = "none"
    workers: NonNegativeInt = 0
    name: ClassVar[str] = "fashion_mnist"

    def __call__(self) -> Data:
        folder = dataset_folder("fashion_mnist", FASHION_FILES, FASHION_URL)
        return image_data(official(folder), FASHION_LABELS, (72.97,), (90.03,), self.augment, self.workers)


@dataclass(frozen=True)
class MNIST:
    """MNIST (LeCun et al. 1998): 28 x 28 grey images of handwritten digits; 55,000 train, 5,000 val, 10,000 test rows.

    Where only the 10,000 official test rows are on the machine, these are split into 8,000 train, 1,000 val and 1,000 test rows; figures
    on that subset are not figures on MNIST, and `preprocess["subset"]` of the data says which of the two it is.

    subset: true takes the 10,000-row subset, false the full set; null the full set if it is there, else the subset if that is there
        ｜ true 用一万行的子集，false 用全集；null 有全集就用全集，否则用子集
    augment: none, flip (which changes what a digit means), or flip_crop (flip, and move by up to 3 pixels); train only
        ｜ none 不增强，flip 随机左右翻转（会改变数字的含义），flip_crop 翻转并随机平移至多 3 个像素；只用于训练集
    workers: processes that fetch rows; 0 fetches in the main process ｜ 取数据的子进程数；0 为在主进程中取

    中文: MNIST：手写数字的 28×28 灰度图像；若只有官方测试集文件，则把这一万张再分为 8000/1000/1000。

    中文: 全集为训练 55,000 行、验证 5,000 行、测试 10,000 行。若机器上只有官方测试集的 10,000 行，则分为训练 8,000 行、验证 1,000 行、
    测试 1,000 行；在这个子集上得到的数字不是 MNIST 上的数字，用的是哪一种见数据的 `preprocess["subset"]`。
    Scope: 2.1, 6.5
    """

    subset: bool | None = None
    augment: Augment = "none"
    workers: NonNegativeInt = 0
    name: ClassVar[str] = "mnist"

    def __call__(self) -> Data:
        subset = self.subset
        if subset is None:
            subset = local_folder("mnist", MNIST_FILES) is None and local_folder("mnist_test10k", MNIST_TEST_FILES) is not None
        if subset:
            splits, mean, std = tenth(dataset_folder("mnist_test10k", MNIST_TEST_FILES, MNIST_TEST_URL)), (33.79,), (79.18,)
        else:
            splits, mean, std = official(dataset_folder("mnist", MNIST_FILES, MNIST_URL)), (33.32,), (78.57,)
        labels = tuple("0123456789")
        return image_data(splits, labels, mean, std, self.augment, self.workers, subset=subset)


def official(folder: Path) -> dict[str, tuple[Tensor, Tensor]]:
    """The official split, with val cut from train: {split: (images [rows, 1, 28, 28] uint8, labels [rows] int64)}."""
    images, labels = _pair(folder, "train")
    train, val = cut(len(labels), VAL_SHARE, classes=labels)
    return {"train": (images[train], labels[train]), "val": (images[val], labels[val]), "test": _pair(folder, "t10k")}


def tenth(folder: Path) -> dict[str, tuple[Tensor, Tensor]]:
    """The 10,000 official test rows alone, split 8,000 / 1,000 / 1,000; as `official`."""
    images, labels = _pair(folder, "t10k")
    parts = zip(("train", "val", "test"), cut(len(labels), 0.1, 0.1))
    return {name: (images[ids], labels[ids]) for name, ids in parts}


def _pair(folder: Path, part: str) -> tuple[Tensor, Tensor]:
    images = read_idx(folder / f"{part}-images-idx3-ubyte.gz")
    return images[:, None], read_idx(folder / f"{part}-labels-idx1-ubyte.gz").long()


def read_idx(path: Path) -> Tensor:
    """A gzipped IDX file of bytes as a uint8 tensor. Raises BadInput when it is none, or holds more than `MOST`."""
    try:
        with gzip.open(path) as file:
            raw = file.read(MOST + 1)
        if len(raw) > MOST:
            raise BadInput(messages.DATA_FILE_UNREADABLE, path=path, kind="gzip", reason=f"> {MOST} bytes")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadInput(messages.DATA_FILE_UNREADABLE, path=path, kind="gzip", reason=error) from error
    dims = raw[3] if len(raw) > 3 else 0
    shape = np.frombuffer(raw[4 : 4 + 4 * dims], ">u4").tolist()
    if raw[:3] != b"\0\0\x08" or len(shape) != dims or len(raw) != 4 + 4 * dims + math.prod(shape):
        raise BadInput(messages.DATA_FILE_UNREADABLE, path=path, kind="IDX (uint8)", reason=f"{len(raw)} bytes, shape {shape}")
    return torch.from_numpy(np.frombuffer(raw, np.uint8, offset=4 + 4 * dims).copy()).view(shape)
