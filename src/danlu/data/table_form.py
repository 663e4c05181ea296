"""The rules by which columns of text become a model's inputs: settled on train rows, kept as plain values, applied by `encode`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from danlu import messages
from danlu.data import table_kinds
from danlu.data.read_table import Columns
from danlu.data.table_kinds import missing
from danlu.errors import BadInput

MOST_CATEGORIES = 1000
KNOTS = 256  # quantiles of a column of numbers
FAR = 1e-3  # the least and the greatest number of a column stand at this share of the rows: 3.1 deviations out
FEW = 50  # up to so many categories all are kept; of more, those that are there twice


def fit_numeric(name: str, x: np.ndarray, **source: Any) -> dict[str, Any] | None:
    """The rule for a numeric column of train rows (float64 [rows], NaN missing); None if it is the same everywhere.

    source: the column and the part of it, where the numbers are made from dates.
    """
    gaps = np.isnan(x)
    if gaps.all() or (not gaps.any() and (x == x[0]).all()):
        return None
    median = float(np.median(x[~gaps]))
    knots, scores = normal_scores(np.where(gaps, median, x))
    return {"name": name, **source, "median": median, "mark": bool(gaps.any()), "knots": knots.tolist(), "scores": scores.tolist()}


def normal_scores(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Different quantiles of x (float64 [rows]), least to greatest, and the standardised normal deviate of each one's place.

    Between two of them a number is interpolated, beyond them it is the nearest. So a column of any shape, with any outliers, comes out
    nearly normal, as "Revisiting deep learning models for tabular data" (Gorishniy et al. 2021) prepares numbers. Equal rows share the
    middle of their places; mean and deviation over the rows are 0 and 1.
    """
    count = min(KNOTS, len(x))
    knots, first, shared = np.unique(np.quantile(x, np.linspace(0, 1, count)), return_index=True, return_counts=True)
    places = (first + (shared - 1) / 2) / max(count - 1, 1)
    scores = torch.special.ndtri(torch.from_numpy(places).clamp(FAR, 1 - FAR)).numpy()
    rows = np.interp(x, knots, scores)
    return knots, (scores - rows.mean()) / (rows.std() or 1.0)


def fit_categorical(name: str, values: Sequence[str]) -> dict[str, Any] | None:
    """The rule for a categorical column of train rows; None if it is the same everywhere. A missing value is the category ""."""
    counts = Counter("" if missing(value) else value for value in values)
    if len(counts) < 2:
        return None
    least = 1 if len(counts) <= FEW else 2
    kept = sorted((value for value, count in counts.items() if count >= least), key=lambda value: (-counts[value], value))
    return {"name": name, "categories": sorted(kept[:MOST_CATEGORIES])} if kept else None


def encode(form: Mapping[str, Any], columns: Columns) -> Any:
    """Columns of text as a model's inputs, by the rules in `form` (`Data.preprocess` of kind "table" or "numbers").

    "table": {"numeric": float32 [rows, numeric], "category": int64 [rows, categorical]}; "numbers": float32 [rows, columns]. Columns that
    the model does not use may be there, in any order. Raises BadInput for a column that is missing, and for a value that is no number
    or no date, named by its column and row (from 0).
    """
    if form["kind"] == "numbers":
        raw = np.stack([_whole(name, _column(columns, name)) for name in form["columns"]], 1)
        mean, std = (torch.tensor(form[key], dtype=torch.float64) for key in ("mean", "std"))
        return ((torch.from_numpy(raw) - mean) / std).float()
    rows = len(next(iter(columns.values()), []))
    parts, marks = [], []
    for rule in form["numeric"]:
        x = raw_numbers(rule, columns)
        gaps = np.isnan(x)
        parts.append(_scaled(rule, np.where(gaps, rule["median"], x)).float())
        if rule["mark"]:
            marks.append(torch.from_numpy(gaps).float())
    ids = []
    for rule in form["categorical"]:
        place = {category: number for number, category in enumerate(rule["categories"], start=1)}
        values = _column(columns, rule["name"])
        ids.append(torch.tensor([place.get("" if missing(value) else value, 0) for value in values], dtype=torch.int64))
    numeric = torch.stack(parts + marks, 1) if parts else torch.empty(rows, 0)
    return {"numeric": numeric, "category": torch.stack(ids, 1) if ids else torch.empty(rows, 0, dtype=torch.int64)}


def _scaled(rule: Mapping[str, Any], x: np.ndarray) -> Tensor:
    """float64 [rows] as the model has it: by its place among the train rows, or (data sets of danlu) standardised."""
    if "knots" in rule:
        return torch.from_numpy(np.interp(x, rule["knots"], rule["scores"]))
    t = torch.from_numpy(x)  # torch's log1p, as data.table takes it, to the last bit
    return ((t.clamp(min=0).log1p() if rule["log"] else t) - rule["mean"]) / rule["std"]


def raw_numbers(rule: Mapping[str, Any], columns: Columns) -> np.ndarray:
    """float64 [rows] of a numeric rule before it is scaled, NaN where missing."""
    if "part" in rule:
        return table_kinds.dates(rule["column"], _column(columns, rule["column"]), rule["order"], rule["part"])
    return table_kinds.numbers(rule["name"], _column(columns, rule["name"]))


def encode_target(form: Mapping[str, Any], values: Sequence[str]) -> Tensor:
    """A target column as training sees it: class ids int64 [rows], or float32 [rows, 1] standardised. Raises BadInput by column and row."""
    name = form.get("target", "target")
    if "labels" not in form:
        return ((torch.from_numpy(_whole(name, values)) - form["shift"]) / form["scale"]).float()[:, None]
    place = {label: number for number, label in enumerate(form["labels"])}
    found = [place.get(value, place.get(_canonical(value), -1)) for value in values]
    if -1 in found:
        row = found.index(-1)
        raise BadInput(messages.TABLE_UNKNOWN_LABEL, column=name, row=row, value=values[row][:60], labels=", ".join(form["labels"][:20]))
    return torch.tensor(found, dtype=torch.int64)


def label_of(value: str, whole: bool) -> str:
    """The name of a class: a whole number is written without its decimals (`3.0` is `3`)."""
    return _canonical(value) if whole else value


def _canonical(value: str) -> str:
    x = table_kinds.number(value)
    return str(int(x)) if x is not None and x == int(x) else value


def _whole(name: str, values: Sequence[str]) -> np.ndarray:
    x = table_kinds.numbers(name, values)
    if np.isnan(x).any():
        raise BadInput(messages.TABLE_NO_VALUE, column=name, row=int(np.isnan(x).argmax()))
    return x


def _column(columns: Columns, name: str) -> Sequence[str]:
    if name not in columns:
        raise BadInput(messages.TABLE_COLUMN_GONE, column=name, columns=", ".join(columns))
    return columns[name]
