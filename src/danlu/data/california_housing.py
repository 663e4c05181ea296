"""House prices in the districts of California, from the 1990 census (Pace and Barry 1997)."""

from __future__ import annotations

from dataclasses import dataclass

from danlu.data import table
from danlu.data.find_files import dataset_folder
from danlu.data.fingerprint import fingerprint
from danlu.data.source import Data, Facts, Tensors
from danlu.data.splits import cut
from danlu.fields import NonNegativeInt

URL = "https://raw.githubusercontent.com/ageron/handson-ml2/master/datasets/housing/"
FILES = {"housing.csv": "8a3727f4cf54ac1a327f69b1d5b4db54c5834ea81c6e4efc0d163300022a685e"}
TARGET, CATEGORICAL = "median_house_value", ("ocean_proximity",)


@dataclass(frozen=True)
class CaliforniaHousing:
    """California housing (Pace and Barry 1997): the median house value of a district from 8 numbers and its place by the sea.

    20,640 rows: a hash of the row number makes 15 % test and 10 % val. Inputs are {"numeric": float32 [rows, 9] (8, and one that marks a
    missing number of bedrooms), "category": int64 [rows, 1]}; targets float32 [rows, 1], standardised by the train rows
    (`facts.shift` and `facts.scale` are in dollars).

    workers: processes that fetch rows; 0 fetches in the main process ｜ 取数据的子进程数；0 为在主进程中取

    中文: 加州房价：由 8 个数值列和临海位置预测街区房价中位数。

    中文: 共 20,640 行：按行号的哈希取 15% 作测试集、10% 作验证集。输入中 `numeric` 为 float32 `[rows, 9]`（8 个数值，
    另有一列标记卧室数是否缺失），`category` 为 int64 `[rows, 1]`；目标为 float32 `[rows, 1]`，
    按训练集标准化（`facts.shift` 与 `facts.scale` 以美元计）。
    Scope: 1.3
    """

    workers: NonNegativeInt = 0

    def __call__(self) -> Data:
        columns = table.read_csv(dataset_folder("california_housing", FILES, URL) / "housing.csv")
        y = table.numbers(TARGET, columns[TARGET])
        ids = dict(zip(("train", "val", "test"), cut(len(y), 0.1, 0.15)))
        numeric = [name for name in columns if name not in (TARGET, *CATEGORICAL)]
        form = table.fit(columns, numeric, CATEGORICAL, ids["train"])
        x, categories = table.apply(form, columns)
        shift, scale = float(y[ids["train"]].mean()), float(y[ids["train"]].std(correction=0))
        targets = ((y - shift) / scale).float()[:, None]
        splits = {
            name: Tensors({"numeric": x[part], "category": categories[part]}, targets[part], self.workers) for name, part in ids.items()
        }
        facts = Facts(
            task="regress",
            shape=(x.shape[1],),
            outputs=1,
            cardinalities=table.cardinalities(form),
            rows=len(ids["train"]),
            shift=shift,
            scale=scale,
        )
        form = {**form, "columns": table.numeric_names(form), "target": TARGET, "shift": shift, "scale": scale}
        return Data(facts=facts, fingerprint=fingerprint(*splits.values()), preprocess=form, **splits)
