"""Raw input of any kind as a model's rows, by the form that its run kept. Each kind's own `encode` is the one that training used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import torch

from danlu import messages
from danlu.data.source import Facts
from danlu.errors import BadInput

Columns = dict[str, list[str]]


def encode(form: Mapping[str, Any], facts: Facts, raw: Any) -> Any:
    """`raw` as the model's inputs, rows first: a tensor or a dict of tensors. Raises BadInput by column, row or file."""
    kind = form.get("kind")
    if kind in ("table", "numbers"):
        from danlu.data.tabular import encode as of_table

        return of_table(form, columns_of(form, raw))
    if kind == "images":
        from danlu.data.image_folder import encode as of_images

        return of_images({"shape": list(facts.shape), **form}, [raw] if isinstance(raw, str | Path) else raw)
    if kind == "text" and "length" in form:
        from danlu.data.classify_text import encode as of_texts

        return of_texts(form, [raw] if isinstance(raw, str) else list(raw))
    if kind is None or kind == "arrays":
        return raw if isinstance(raw, dict) else torch.as_tensor(raw)
    raise BadInput(messages.PREDICT_UNKNOWN_KIND, kind=kind)


def columns_of(form: Mapping[str, Any], raw: Any) -> Columns:
    """A table given as a path, a DataFrame, {column: values}, {column: value} (one row), [{column: value}, ...] or an array, as text."""
    if isinstance(raw, str | Path):
        from danlu.data.read_table import read_table

        return read_table(raw)
    if hasattr(raw, "columns") and hasattr(raw, "iloc"):
        return {str(name): [_text(value) for value in raw[name].tolist()] for name in raw.columns}
    if isinstance(raw, Mapping):
        single = not any(
            (isinstance(value, Sequence) and not isinstance(value, str)) or hasattr(value, "__array__") for value in raw.values()
        )
        return {str(name): [_text(v) for v in ([values] if single else list(values))] for name, values in raw.items()}
    rows = list(raw)
    if rows and isinstance(rows[0], Mapping):
        found = dict.fromkeys(str(name) for row in rows for name in row)
        return {name: [_text(row.get(name)) for row in rows] for name in found}
    names = list(form["columns"]) if form["kind"] == "numbers" else []
    if not names or any(len(row) != len(names) for row in rows):
        raise BadInput(messages.PREDICT_NO_NAMES, columns=", ".join(column_names(form)))
    return {name: [_text(row[place]) for row in rows] for place, name in enumerate(names)}


def column_names(form: Mapping[str, Any]) -> list[str]:
    """The columns that a table's form reads."""
    if form["kind"] == "numbers":
        return list(form["columns"])
    return list(dict.fromkeys(rule.get("column", rule["name"]) for rule in (*form["numeric"], *form["categorical"])))


def rows_of(inputs: Any) -> int:
    return len(next(iter(inputs.values()))) if isinstance(inputs, dict) else len(inputs)


def _text(value: Any) -> str:
    value = value.item() if hasattr(value, "item") else value
    if value is None or value != value:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value).strip()
