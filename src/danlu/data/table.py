"""Tables: columns of text become standardised numbers and category ids, by rules that are settled on the train rows alone.

A numeric column: missing values become the train median, and a column that has some in train gets another that marks them; a skewed column
that is never negative is taken as log(1 + x) when that makes it less skewed; then mean 0 and deviation 1. A categorical column: ids from 1
in alphabetical order of what train holds; 0 is unknown, missing included. The rules are plain values, kept in `Data.preprocess`.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from danlu import messages
from danlu.errors import BadInput

MISSING = frozenset(("", "?", "na", "n/a", "nan", "null", "none"))
SKEWED = 1.0  # |skewness| above which the logarithm is tried

Columns = dict[str, list[str]]


def read_csv(path: Path, names: Sequence[str] | None = None) -> Columns:
    """The columns of a CSV file (UTF-8), stripped of blanks around values. names: when the file has no header line.

    Raises BadInput for a row that has another number of fields, named by its line.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, skipinitialspace=True)
        header = list(names) if names is not None else next(reader, [])
        rows = []
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise BadInput(messages.ROW_WIDTH, path=path, row=reader.line_num, found=len(row), expected=len(header))
            rows.append(row)
    return {name: [row[place].strip() for row in rows] for place, name in enumerate(header)}


def numbers(name: str, values: Sequence[str]) -> Tensor:
    """A column as float64 [rows], NaN where it is missing. Raises BadInput for a value that is no finite number."""
    found = []
    for row, value in enumerate(values):
        try:
            number = float(value)
        except ValueError:
            number = math.inf
        if value.lower() in MISSING:
            number = math.nan
        elif not math.isfinite(number):
            raise BadInput(messages.NOT_A_NUMBER, column=name, row=row, value=value)
        found.append(number)
    return torch.tensor(found, dtype=torch.float64)


def fit(columns: Columns, numeric: Sequence[str], categorical: Sequence[str], train: Tensor) -> dict[str, Any]:
    """The rules for these columns as plain values, settled on the rows `train` (int64 ids)."""
    return {
        "kind": "table",
        "numeric": [_fit_numeric(name, numbers(name, columns[name])[train]) for name in numeric],
        "categorical": [{"name": name, "categories": _categories([columns[name][row] for row in train.tolist()])} for name in categorical],
    }


def _categories(values: Sequence[str]) -> list[str]:
    return sorted(value for value in set(values) if value.lower() not in MISSING)


def _fit_numeric(name: str, x: Tensor) -> dict[str, Any]:
    missing = x.isnan()
    median = float(x[~missing].quantile(0.5)) if not bool(missing.all()) else 0.0
    filled = torch.where(missing, median, x)
    low = float(filled.min())
    log = low >= 0 and abs(skewness(filled)) > SKEWED and abs(skewness(filled.log1p())) < abs(skewness(filled))
    scaled = filled.log1p() if log else filled
    std = float(scaled.std(correction=0))
    return {"name": name, "median": median, "mark": bool(missing.any()), "log": log, "mean": float(scaled.mean()), "std": std or 1.0}


def skewness(x: Tensor) -> float:
    """The third standardised moment of x [rows]; 0 for a constant."""
    centred = x - x.mean()
    deviation = float(centred.square().mean().sqrt())
    return float(centred.pow(3).mean()) / deviation**3 if deviation else 0.0


def apply(form: dict[str, Any], columns: Columns) -> tuple[Tensor, Tensor]:
    """Rows by the rules of `fit`: numeric float32 [rows, numeric columns], categories int64 [rows, categorical columns].

    The columns that mark missing values come after all numeric ones. A negative value in a column whose logarithm is taken counts as 0.
    """
    parts, marks = [], []
    for rule in form["numeric"]:
        x = numbers(rule["name"], columns[rule["name"]])
        missing = x.isnan()
        x = torch.where(missing, rule["median"], x)
        x = x.clamp(min=0).log1p() if rule["log"] else x
        parts.append((x - rule["mean"]) / rule["std"])
        if rule["mark"]:
            marks.append(missing.double())
    ids = []
    for rule in form["categorical"]:
        place = {category: number for number, category in enumerate(rule["categories"], start=1)}
        ids.append(torch.tensor([place.get(value, 0) for value in columns[rule["name"]]]))
    rows = len(next(iter(columns.values())))
    numeric = torch.stack(parts + marks, 1).float() if parts else torch.empty(rows, 0)
    return numeric, torch.stack(ids, 1) if ids else torch.empty(rows, 0, dtype=torch.int64)


def numeric_names(form: dict[str, Any]) -> list[str]:
    """The names of the numeric input columns in the order of `apply`."""
    return [rule["name"] for rule in form["numeric"]] + [f"{rule['name']} missing" for rule in form["numeric"] if rule["mark"]]


def cardinalities(form: dict[str, Any]) -> tuple[int, ...]:
    """Ids of each categorical column, the unknown one included."""
    return tuple(len(rule["categories"]) + 1 for rule in form["categorical"])
