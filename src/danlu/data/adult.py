"""Who earns more than 50,000 dollars a year: the Adult table of the 1994 US census (Becker and Kohavi 1996, UCI repository)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from danlu.data import table
from danlu.data.find_files import dataset_folder
from danlu.data.fingerprint import fingerprint
from danlu.data.source import Data, Facts, Tensors
from danlu.data.splits import cut
from danlu.fields import NonNegativeInt

URL = "https://raw.githubusercontent.com/jbrownlee/Datasets/master/"
FILES = {
    "adult-train.csv": "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
    "adult-test.csv": "72567b94f5c1a6f8501377dd80f93892c3848ff071cf91ba47e00b0785a28074",
}
NUMERIC = ("age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week")
CATEGORICAL = ("workclass", "education", "marital-status", "occupation", "relationship", "race", "sex", "native-country")
NAMES = (
    *("age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation", "relationship", "race", "sex"),
    *("capital-gain", "capital-loss", "hours-per-week", "native-country", "income"),
)
LABELS = ("<=50K", ">50K")


@dataclass(frozen=True)
class Adult:
    """Adult census income (Becker and Kohavi 1996): 6 numeric and 8 categorical columns, 2 classes.

    29,305 train, 3,256 val and 16,281 test rows: the test rows are the official ones, val is 10 % of the official training rows, of each
    class. Inputs are {"numeric": float32 [rows, 6], "category": int64 [rows, 8]}.

    workers: processes that fetch rows; 0 fetches in the main process ｜ 取数据的子进程数；0 为在主进程中取

    中文: Adult 人口普查收入：6 个数值列、8 个类别列，判断年收入是否超过 5 万美元。

    中文: 训练 29,305 行、验证 3,256 行、测试 16,281 行：测试集即官方测试集，验证集从官方训练集中按类别各取 10%。
    输入为 `{"numeric": float32 [rows, 6], "category": int64 [rows, 8]}`。
    Scope: 1.2
    """

    workers: NonNegativeInt = 0

    def __call__(self) -> Data:
        folder = dataset_folder("adult", FILES, URL)
        official = table.read_csv(folder / "adult-train.csv", NAMES)
        held_out = table.read_csv(folder / "adult-test.csv", NAMES)
        y, y_test = (torch.tensor([LABELS.index(v.rstrip(".")) for v in part["income"]]) for part in (official, held_out))
        train, val = cut(len(y), 0.1, classes=y)
        form = table.fit(official, NUMERIC, CATEGORICAL, train)
        (numeric, categories), (numeric_test, categories_test) = table.apply(form, official), table.apply(form, held_out)
        splits = {
            "train": Tensors({"numeric": numeric[train], "category": categories[train]}, y[train], self.workers),
            "val": Tensors({"numeric": numeric[val], "category": categories[val]}, y[val], self.workers),
            "test": Tensors({"numeric": numeric_test, "category": categories_test}, y_test, self.workers),
        }
        facts = Facts(
            task="classify",
            shape=(numeric.shape[1],),
            outputs=2,
            cardinalities=table.cardinalities(form),
            labels=LABELS,
            class_counts=tuple(torch.bincount(y[train]).tolist()),
            rows=len(train),
        )
        form = {**form, "columns": table.numeric_names(form), "labels": list(LABELS)}
        return Data(facts=facts, fingerprint=fingerprint(*splits.values()), preprocess=form, **splits)
