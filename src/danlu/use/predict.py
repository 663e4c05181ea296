"""New input in files, predicted piece by piece: a table or jsonl of any length, texts, images; what came in goes out beside it."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from danlu import messages
from danlu.errors import BadInput, Refused, Sentence, Trouble
from danlu.run import durable
from danlu.use.encode import Columns, column_names

if TYPE_CHECKING:
    from danlu.use.bundle_predict import Model
    from danlu.use.load import Trained

SUFFIXES = (".csv", ".jsonl")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
PIECE = 1024  # rows that are read, predicted and written at once

Piece = dict[str, list[Any]]


def predict(trained: Trained | Model, inputs: Sequence[str], every_class: bool = False) -> Iterator[Piece]:
    """Input columns, prediction and probability of some rows at a time, in the order of the input.

    inputs: files, a folder of images, or (for a model of texts) texts themselves. Raises BadInput, naming file and row or column.
    """
    for piece, raw, origin, start in pieces(trained, inputs):
        try:
            found = trained.predict(raw)
        except Trouble as trouble:
            raise _in_file(trouble, origin, start) from trouble
        said = found.columns(every_class)
        for name in said:
            if name in piece:
                raise BadInput(messages.PREDICT_COLUMN, path=origin, column=name)
        yield {**piece, **said}


def pieces(trained: Trained | Model, inputs: Sequence[str]) -> Iterator[tuple[Piece, Any, str, int]]:
    """(what goes out again, what the model is given, the file, the number of rows before) of some rows at a time."""
    kind = trained.form.get("kind")
    if trained.facts.task in ("language", "masked_language"):
        raise Refused(messages.PREDICT_LANGUAGE, task=trained.facts.task)
    if kind in ("table", "numbers"):
        for path in inputs:
            start = 0
            for columns in _tables(path, column_names(trained.form)):
                yield dict(columns), columns, path, start
                start += len(next(iter(columns.values())))
    elif kind == "images":
        found = list(_images(inputs))
        for start in range(0, len(found), PIECE):
            paths = found[start : start + PIECE]
            yield {"input": [str(path) for path in paths]}, paths, "", start
    elif kind == "text" and "length" in trained.form:
        yield from _texts(inputs, trained.form.get("column", "text"))
    else:
        raise Refused(messages.EVALUATE_KIND, kind=kind or "arrays")


def write(found: Iterator[Piece], out: Path) -> int:
    """Write all pieces as CSV or jsonl, by the ending of `out`, whole or not at all; how many rows. Raises BadInput if it exists."""
    if out.suffix.lower() not in SUFFIXES:
        raise BadInput(messages.PREDICT_SUFFIX, path=out)
    if os.path.lexists(out):
        raise BadInput(messages.OUT_EXISTS, path=out)
    new = out.with_name(out.name + ".tmp")
    try:
        with open(durable.fresh(new), "w", encoding="utf-8", newline="") as file:
            rows = print_rows(found, file, out.suffix.lower() == ".jsonl")
        new.rename(out)
    except OSError as error:
        raise BadInput(messages.RUN_CANNOT_WRITE, folder=out, reason=error.strerror) from error
    finally:
        new.unlink(missing_ok=True)
    return rows


def print_rows(found: Iterator[Piece], file: TextIO, as_json: bool) -> int:
    """Write pieces to an open file as CSV with a head, or a JSON object a line; how many rows."""
    rows, head, writer = 0, None, csv.writer(file, lineterminator="\n")
    for piece in found:
        if head is None:
            head = list(piece)
            if not as_json:
                writer.writerow(head)
        elif list(piece) != head:
            raise BadInput(messages.PREDICT_OTHER_COLUMNS, columns=", ".join(head), found=", ".join(piece))
        for row in zip(*piece.values()):
            if as_json:
                file.write(json.dumps(dict(zip(head, row)), ensure_ascii=False, allow_nan=False) + "\n")
            else:
                writer.writerow(row)
            rows += 1
    if not rows:
        raise BadInput(messages.PREDICT_NOTHING)
    return rows


def _tables(path: str, names: Sequence[str]) -> Iterator[Columns]:
    if Path(path).suffix.lower() == ".jsonl":
        for rows in _objects(path):
            yield {name: [_plain(row.get(name)) for row in rows] for name in dict.fromkeys([*(key for row in rows for key in row), *names])}
        return
    from danlu.data.read_table import open_table

    file = open_table(path)
    yield from file.chunks(PIECE * len(file.names))


def _texts(inputs: Sequence[str], column: str) -> Iterator[tuple[Piece, Any, str, int]]:
    for given in inputs:
        path, start = Path(given), 0
        suffix = path.suffix.lower()
        if suffix in (".csv", ".tsv", ".parquet", ".pq", ".jsonl"):
            for columns in _tables(given, ()):
                if column not in columns:
                    raise BadInput(messages.TABLE_COLUMN_GONE, column=column, columns=", ".join(columns))
                yield dict(columns), columns[column], given, start
                start += len(columns[column])
        elif path.is_file():
            lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
            for start in range(0, len(lines), PIECE):
                yield {"input": lines[start : start + PIECE]}, lines[start : start + PIECE], given, start
        elif suffix == ".txt":
            raise BadInput(messages.PREDICT_NO_FILE, path=given)
        else:
            yield {"input": [given]}, [given], "", 0


def _images(inputs: Sequence[str]) -> Iterator[Path]:
    for given in inputs:
        path = Path(given)
        if path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.suffix.lower() in PICTURES and not p.name.startswith("."))
            if not found:
                raise BadInput(messages.PREDICT_NO_IMAGES, path=path)
            yield from found
        elif path.is_file():
            yield path
        else:
            raise BadInput(messages.PREDICT_NO_FILE, path=path)


def _objects(path: str) -> Iterator[list[dict[str, Any]]]:
    """The objects of a jsonl file, some at a time. Raises BadInput with the line for what is none."""
    if not Path(path).is_file():
        raise BadInput(messages.PREDICT_NO_FILE, path=path)
    rows: list[dict[str, Any]] = []
    with open(path, encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise BadInput(messages.PREDICT_LINE, path=path, line=number, reason=error) from error
            if not isinstance(row, dict):
                raise BadInput(messages.PREDICT_LINE, path=path, line=number, reason=type(row).__name__)
            rows.append(row)
            if len(rows) == PIECE:
                yield rows
                rows = []
    if rows:
        yield rows


def _plain(value: Any) -> str:
    return "" if value is None or value != value else value.strip() if isinstance(value, str) else str(value)


def _in_file(trouble: Trouble, origin: str, start: int) -> Trouble:
    """The same trouble with its row counted from the file's first, and the file's name before it."""
    if not origin or not isinstance(trouble, BadInput):
        return trouble
    values = dict(trouble.values)
    if isinstance(values.get("row"), int):
        values["row"] += start
    place = origin.replace("{", "{{").replace("}", "}}")
    return BadInput(Sentence(*(f"{place}: {text}" for text in trouble.sentence)), **values)
