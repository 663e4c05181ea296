"""Three small tables that scikit-learn carries with it, so they are there without any network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from danlu.data.fingerprint import fingerprint
from danlu.data.source import Data, Facts, Tensors
from danlu.data.splits import cut
from danlu.fields import NonNegativeInt

VAL_SHARE, TEST_SHARE = 0.15, 0.2


@dataclass(frozen=True)
class Digits:
    """Handwritten digits of the UCI repository (Alpaydin and Kaynak 1998): 1,797 rows of 64 pixels from 0 to 1, 10 classes.

    A row is an image of 8 x 8 pixels. Every class is cut on its own: 20 % of the rows are test, 15 % val.

    workers: processes that fetch rows; 0 fetches in the main process ｜ 取数据的子进程数；0 为在主进程中取

    中文: 手写数字：8×8 像素展成 64 个数，10 类，随 scikit-learn 自带。

    中文: 共 1,797 行，每行是一张 8×8 像素的图像，取值 0 到 1。各类别分别划分：20% 作测试集，15% 作验证集。
    Scope: 1.1
    """

    workers: NonNegativeInt = 0

    def __call__(self) -> Data:
        from sklearn.datasets import load_digits

        bunch = load_digits()
        return _classify(bunch, torch.zeros(64), torch.full((64,), 16.0), self.workers)


@dataclass(frozen=True)
class Wine:
    """Wines by their chemistry (Aeberhard and Forina 1991): 178 rows of 13 numbers, 3 growers; standardised by the train rows.

    Every class is cut on its own: 20 % of the rows are test, 15 % val.

    workers: processes that fetch rows; 0 fetches in the main process ｜ 取数据的子进程数；0 为在主进程中取

    中文: 葡萄酒：13 项化学指标，3 个产地，随 scikit-learn 自带。

    中文: 共 178 行，按训练集标准化。各类别分别划分：20% 作测试集，15% 作验证集。
    Scope: 1.1
    """

    workers: NonNegativeInt = 0

    def __call__(self) -> Data:
        from sklearn.datasets import load_wine

        return _classify(load_wine(), None, None, self.workers)


@dataclass(frozen=True)
class BreastCancer:
    """Breast tumours by the shape of their cell nuclei (Street et al. 1993): 569 rows of 30 numbers, 2 classes; standardised by train.

    Every class is cut on its own: 20 % of the rows are test, 15 % val.

    workers: processes that fetch rows; 0 fetches in the main process ｜ 取数据的子进程数；0 为在主进程中取

    中文: 乳腺肿瘤：30 项细胞核形态指标，良性与恶性 2 类，随 scikit-learn 自带。

    中文: 共 569 行，按训练集标准化。各类别分别划分：20% 作测试集，15% 作验证集。
    Scope: 1.1
    """

    workers: NonNegativeInt = 0

    def __call__(self) -> Data:
        from sklearn.datasets import load_breast_cancer

        return _classify(load_breast_cancer(), None, None, self.workers)


def _classify(bunch: Any, mean: torch.Tensor | None, std: torch.Tensor | None, workers: int) -> Data:
    """Rows (x - mean) / std; where these are None, they are those of the train rows."""
    x, y = torch.from_numpy(bunch.data).double(), torch.from_numpy(bunch.target).long()
    ids = dict(zip(("train", "val", "test"), cut(len(y), VAL_SHARE, TEST_SHARE, classes=y)))
    if mean is None or std is None:
        mean, std = x[ids["train"]].mean(0), x[ids["train"]].std(0, correction=0)
    scaled = ((x - mean) / std).float()
    splits = {name: Tensors(scaled[part], y[part], workers) for name, part in ids.items()}
    labels = tuple(str(label) for label in bunch.target_names)
    counts = tuple(torch.bincount(y[ids["train"]], minlength=len(labels)).tolist())
    facts = Facts("classify", (x.shape[1],), len(labels), labels=labels, class_counts=counts, rows=len(ids["train"]))
    columns = [str(name) for name in bunch.feature_names]
    form = {"kind": "numbers", "columns": columns, "mean": mean.tolist(), "std": std.tolist(), "labels": list(labels)}
    return Data(facts=facts, fingerprint=fingerprint(*splits.values()), preprocess=form, **splits)
