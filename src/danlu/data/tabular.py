"""A person's own table: the kinds of its columns and the task are inferred, what was found is said, and the split never moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from danlu import messages
from danlu.data import table_split
from danlu.data.fingerprint import fingerprint
from danlu.data.read_table import TableFile, open_table
from danlu.data.room import room, rows_of
from danlu.data.source import Data, Facts, Tensors
from danlu.data.table import cardinalities, numeric_names
from danlu.data.table_form import encode, encode_target, fit_categorical, fit_numeric
from danlu.data.table_kinds import PARTS, Seen, dates, missing, numbers
from danlu.data.table_scan import Scan, labelled
from danlu.data.table_split import TEST, TRAIN, VAL
from danlu.errors import BadInput
from danlu.fields import NonNegativeInt

__all__ = ["Tabular", "encode", "encode_target"]


@dataclass(frozen=True)
class Tabular:
    """A table of your own (CSV, TSV or Parquet): numbers, categories and dates, to classify or to regress one column.

    Without `val_path`, `test_path`, `split`, `group` or `time` a hash of the row (all columns but the target and `ignore`) makes 10 % test
    and 10 % val; a class that has at least 3 different rows gets one of each part. The file is read twice, in chunks; what is kept is a
    float32 a number and an int64 a category, in a file of the cache folder where they are large.
    Inputs are {"numeric": float32, "category": int64}, targets int64 [rows] or float32 [rows, 1], standardised by the train rows.

    path: the file ｜ 文件路径
    target: the column to be predicted ｜ 要预测的列
    task: classify or regress; auto looks at the target ｜ classify 分类，regress 回归；auto 由目标列判断
    val_path: a file of validation rows ｜ 验证集文件
    test_path: a file of test rows ｜ 测试集文件
    split: a column that names train, val or test ｜ 标明每行属于 train、val 还是 test 的列
    group: a column whose equal values stay in one part (a patient, a customer)
        ｜ 分组列：值相同的行不会被分到不同部分（如同一患者、同一客户）
    time: a column of times; the newest rows are test ｜ 时间列；最新的行作测试集
    ignore: columns to leave out ｜ 不使用的列
    numeric: columns that are numbers, whatever they look like ｜ 一律按数值处理的列
    categorical: columns that are categories, whatever they look like ｜ 一律按类别处理的列
    workers: processes that fetch rows; 0 fetches in the main process ｜ 取数据的子进程数；0 为在主进程中取

    中文: 自己的表格（CSV、TSV 或 Parquet）：数值、类别和日期列，预测其中一列。

    中文: 没有给出 `val_path`、`test_path`、`split`、`group` 或 `time` 时，按行的哈希（除目标列与 `ignore` 之外的所有列）取 10% 作测试集、
    10% 作验证集；某个类别有 3 个及以上不同的行时，每个部分都有它的行。文件分块读取两遍；保留的是每个数值一个 float32、每个类别一个 int64，
    数据大时放在缓存文件夹的文件里。输入为 `{"numeric": float32, "category": int64}`，目标为 int64 `[rows]`，
    或按训练集标准化的 float32 `[rows, 1]`。
    Scope: 12.1
    """

    path: str = ""
    target: str = ""
    task: Literal["auto", "classify", "regress"] = "auto"
    val_path: str = ""
    test_path: str = ""
    split: str = ""
    group: str = ""
    time: str = ""
    ignore: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    workers: NonNegativeInt = 0

    def __call__(self) -> Data:
        if not self.path:
            raise BadInput(messages.TABLE_NO_PATH)
        files = [(open_table(self.path), TRAIN)]
        files += [(open_table(path), part) for path, part in ((self.val_path, VAL), (self.test_path, TEST)) if path]
        self._check(files)
        first = Scan(self, files)
        form, facts = _rules(self, first)
        splits = {name: rows for name, rows in _second(self, files, first, form).items() if rows is not None}
        return Data(facts=facts, fingerprint=fingerprint(*splits.values()), preprocess=form, **splits)

    def roles(self) -> dict[str, str]:
        """{column: the field that gives it a role that is no input}"""
        return {name: role for role in ("target", "split", "group", "time") if (name := getattr(self, role))}

    def _check(self, files: list[tuple[TableFile, int]]) -> None:
        names = files[0][0].names
        if not self.target:
            raise BadInput(messages.TABLE_NO_TARGET, path=self.path, columns=", ".join(names))
        seen: dict[str, str] = {}
        for field in ("target", "split", "group", "ignore", "numeric", "categorical", "time"):
            value = getattr(self, field)
            for column in value if isinstance(value, tuple) else [value] if value else []:
                if column not in names:
                    raise BadInput(messages.TABLE_NO_COLUMN, path=self.path, column=column, field=field, columns=", ".join(names))
                if column in seen and field != "time":  # a time may be an input as well
                    raise BadInput(messages.TABLE_TWO_ROLES, column=column, first=seen[column], second=field)
                seen.setdefault(column, field)
        if self.time == self.target:
            raise BadInput(messages.TABLE_TWO_ROLES, column=self.time, first="target", second="time")
        for file, _ in files[1:]:
            for column in names:
                if column not in file.names and column not in (*self.ignore, self.split, self.group, self.time):
                    raise BadInput(messages.TABLE_NO_COLUMN, path=file.path, column=column, field="path", columns=", ".join(file.names))


def _rules(asked: Tabular, first: Scan) -> tuple[dict[str, Any], Facts]:
    """The form and the facts, settled on the train rows of the sample."""
    numeric: list[dict[str, Any]] = []
    categorical: list[dict[str, Any]] = []
    kinds: dict[str, list[str]] = {"numeric": [], "categorical": [], "date": []}
    for name, seen in first.seen.items():
        kind = _kind(asked, first, name, seen)
        if kind is None:
            continue
        values = first.sample[name]
        gaps = sum(map(missing, values))
        if kind == "date":
            order = seen.orders[0]
            made = [fit_numeric(f"{name} {part}", dates(name, values, order, part), column=name, part=part, order=order) for part in PARTS]
            rules = [{**rule, "mark": rule["mark"] and part == PARTS[0]} for part, rule in zip(PARTS, made) if rule]
            numeric += rules
        elif kind == "numeric":
            rules = [rule] if (rule := fit_numeric(name, numbers(name, values))) else []
            numeric += rules
        else:
            rules = [rule] if (rule := fit_categorical(name, values)) else []
            categorical += rules
        if not rules:
            first.note(messages.TABLE_CONSTANT, column=name)
            continue
        kinds[kind].append(name)
        if gaps:
            first.note(messages.TABLE_MISSING_CATEGORY if kind == "categorical" else messages.TABLE_MISSING, column=name, count=gaps)
        if kind == "categorical" and (kept := len(rules[0]["categories"]) - bool(gaps)) < len(seen.distinct):
            first.note(messages.TABLE_TOP, column=name, kept=kept, count=len(seen.distinct))
    if not numeric and not categorical:
        raise BadInput(messages.TABLE_NO_FEATURE, path=asked.path, target=asked.target)
    for kind, columns in kinds.items():
        if columns:
            shown = ", ".join(columns[:20]) + (f", ... ({len(columns)})" if len(columns) > 20 else "")
            first.note(messages.TABLE_SAID_SO, kind=messages.TABLE_KINDS[kind], columns=shown)
    train = first.y[first.parts == TRAIN]
    form: dict[str, Any] = {"kind": "table", "numeric": numeric, "categorical": categorical, "target": asked.target}
    form["columns"] = numeric_names(form)
    settled: dict[str, Any] = {"shape": (len(form["columns"]),), "cardinalities": cardinalities(form), "rows": len(train)}
    if first.labels:
        form["labels"] = first.labels
        counts = tuple(np.bincount(train, minlength=len(first.labels)).tolist())
        facts = Facts("classify", outputs=len(first.labels), labels=tuple(first.labels), class_counts=counts, **settled)
    else:
        form["shift"], form["scale"] = float(train.mean()), float(train.std())
        if not form["scale"]:
            raise BadInput(messages.TABLE_TARGET_CONSTANT, target=asked.target)
        facts = Facts("regress", outputs=1, shift=form["shift"], scale=form["scale"], **settled)
    form["notes"] = first.notes
    return form, facts


def _kind(asked: Tabular, first: Scan, name: str, seen: Seen) -> str | None:
    """ "numeric", "categorical", "date", or None for a column that is left out, which is said."""
    if not seen.there:
        first.note(messages.TABLE_ALL_MISSING, column=name)
    elif name in asked.numeric:
        return "numeric"
    elif name in asked.categorical:
        return "categorical"
    elif seen.is_row_number():
        first.note(messages.TABLE_ROW_NUMBER, column=name)
    elif seen.is_numeric():
        return "numeric"
    elif seen.is_date():
        return "date"
    else:
        if seen.numeric > 0.9 * seen.there:
            first.note(messages.TABLE_NEARLY_NUMERIC, column=name, value=seen.odd[:60])
        if not seen.is_identifier():
            return "categorical"
        first.note(messages.TABLE_IDENTIFIER, column=name, count=len(seen.distinct))
    return None


def _second(asked: Tabular, files: list[tuple[TableFile, int]], first: Scan, form: dict[str, Any]) -> dict[str, Tensors | None]:
    """The second reading: every row encoded, straight into its part."""
    sizes, category = np.bincount(first.parts, minlength=3), len(form["categorical"])
    x = [room((int(size), len(form["columns"])), torch.float32) for size in sizes]
    c = [room((int(size), category), torch.int64) for size in sizes]
    filled, at = [0, 0, 0], 0
    for file, _ in files:
        for chunk in file.chunks():
            chunk, _ = labelled(chunk, asked.target)
            rows = encode(form, chunk)
            parts = torch.from_numpy(first.parts[at : at + len(rows["numeric"])])
            at += len(parts)
            for part in range(3):
                own = (parts == part).nonzero()[:, 0]
                stop = filled[part] + len(own)
                x[part][filled[part] : stop] = rows["numeric"][own]
                c[part][filled[part] : stop] = rows["category"][own]
                filled[part] = stop
    return {
        name: rows_of({"numeric": x[part], "category": c[part]}, _target(first, form, part), asked.workers) if sizes[part] else None
        for part, name in enumerate(table_split.PARTS)
    }


def _target(first: Scan, form: dict[str, Any], part: int) -> Tensor:
    y = torch.from_numpy(first.y[first.parts == part])
    return y.long() if first.labels else ((y - form["shift"]) / form["scale"]).float()[:, None]
