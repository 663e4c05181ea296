"""Tables in files (CSV, TSV, Parquet) as columns of text: whole, or chunk by chunk for files that are larger than memory."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from danlu import messages
from danlu.errors import BadInput

Columns = dict[str, list[str]]

DELIMITERS = (",", "\t", ";", "|")
ENCODINGS = ("utf-8", "gb18030")
BLOCK = 1 << 20
LARGE, GROWTH = 1 << 28, 1000  # bytes that any Parquet file may become, and how many times its own a larger one may
LOOK = 50  # records by which the delimiter is chosen
CHUNK = 1 << 15  # values of a chunk are text, some 60 bytes each


@dataclass(frozen=True)
class TableFile:
    """A table in a file: its columns' names, and its rows whenever they are asked for.

    encoding and delimiter are empty for Parquet.
    """

    path: Path
    names: tuple[str, ...]
    encoding: str = ""
    delimiter: str = ""

    def chunks(self, values: int = CHUNK * 8) -> Iterator[Columns]:
        """The rows in their order, some at a time (about `values` fields), as columns of stripped text.

        Raises BadInput for a row with too few or too many fields, named by its line.
        """
        rows = max(1, values // len(self.names))
        return self._csv(rows) if self.delimiter else self._parquet(rows)

    def _csv(self, size: int) -> Iterator[Columns]:
        with self.path.open(encoding=self.encoding, newline="") as file:
            reader = csv.reader(file, delimiter=self.delimiter, skipinitialspace=True)
            try:
                next(row for row in reader if row)  # the names
                width = len(self.names)
                while rows := [row for row in islice(reader, size) if row] or self._rest(reader):
                    if any(len(row) != width for row in rows):
                        self._ragged()
                    yield {name: [value.strip() for value in column] for name, column in zip(self.names, zip(*rows))}
            except csv.Error as error:
                raise BadInput(messages.TABLE_MALFORMED, path=self.path, line=reader.line_num, reason=error) from error

    @staticmethod
    def _rest(reader: Iterator[list[str]]) -> list[list[str]]:
        """The next row that is not blank, for a chunk that was blank lines only."""
        row = next((row for row in reader if row), None)
        return [] if row is None else [row]

    def _ragged(self) -> None:
        """Find the first row of another width again, for its line."""
        with self.path.open(encoding=self.encoding, newline="") as file:
            reader = csv.reader(file, delimiter=self.delimiter, skipinitialspace=True)
            start, width = 1, len(self.names)
            for row in reader:
                if row and len(row) < width:
                    values = {"line": start, "found": len(row), "expected": width, "column": self.names[len(row)]}
                    raise BadInput(messages.TABLE_SHORT_ROW, path=self.path, **values)
                if len(row) > width:
                    values = {"line": start, "found": len(row), "expected": width, "value": row[width][:60]}
                    raise BadInput(messages.TABLE_LONG_ROW, path=self.path, **values)
                start = reader.line_num + 1

    def _parquet(self, size: int) -> Iterator[Columns]:
        for batch in _parquet(self.path).iter_batches(batch_size=size):
            yield {name: [_text(value) for value in column.to_pylist()] for name, column in zip(self.names, batch.columns)}


def open_table(path: str | Path) -> TableFile:
    """The table at `path`: Parquet by its ending, else text, its encoding and delimiter found.

    UTF-8 (with or without a byte order mark), UTF-16 with one, or GB18030; `,` `;` `|` or a tab. A column without a name is called by its
    place: `column 3`. Raises BadInput for a file that is not there, is empty, cannot be decoded, or names a column twice.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise BadInput(messages.TABLE_NO_FILE, path=path)
    if path.suffix.lower() in (".parquet", ".pq"):
        return TableFile(path, _distinct(path, _parquet(path).schema_arrow.names))
    encoding = _encoding(path)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else _delimiter(path, encoding)
    header = next((row for row in _records(path, encoding, delimiter, LOOK) if any(value.strip() for value in row)), None)
    if header is None:
        raise BadInput(messages.TABLE_EMPTY, path=path)
    return TableFile(path, _distinct(path, header), encoding, delimiter)


def read_table(path: str | Path) -> Columns:
    """All columns of a table as text, stripped of blanks around values. Raises BadInput as `open_table` does, and for no rows."""
    file = open_table(path)
    whole: Columns = {name: [] for name in file.names}
    for chunk in file.chunks():
        for name, values in chunk.items():
            whole[name] += values
    if not whole[file.names[0]]:
        raise BadInput(messages.TABLE_HEADER_ONLY, path=file.path)
    return whole


def _distinct(path: Path, header: Sequence[str]) -> tuple[str, ...]:
    names = [str(name).strip() or f"column {place}" for place, name in enumerate(header, start=1)]
    first: dict[str, int] = {}
    for place, name in enumerate(names, start=1):
        if first.setdefault(name, place) != place:
            raise BadInput(messages.TABLE_DUPLICATE, path=path, column=name, first=first[name], second=place)
    if not names:
        raise BadInput(messages.TABLE_EMPTY, path=path)
    return tuple(names)


def _encoding(path: Path) -> str:
    """The first encoding that decodes the whole file, by its byte order mark if there is one."""
    with path.open("rb") as file:
        start = file.read(3)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    furthest = 0
    for encoding in ENCODINGS:
        bad = _undecodable(path, encoding)
        if bad is None:
            return "utf-8-sig" if encoding == "utf-8" else encoding
        furthest = max(furthest, bad)
    with path.open("rb") as file:  # the place up to which one of them reads
        before = file.read(furthest)
        byte = file.read(1)
    raise BadInput(messages.TABLE_BYTES, path=path, line=before.count(b"\n") + 1, byte=f"0x{byte.hex()}")


def _undecodable(path: Path, encoding: str) -> int | None:
    """The place of the first byte that cannot be decoded, or None."""
    decoder = codecs.getincrementaldecoder(encoding)()
    done = 0
    with path.open("rb") as file:
        while True:
            block = file.read(BLOCK)
            held = len(decoder.getstate()[0])
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return max(0, done - held + error.start)
            if not block:
                return None
            done += len(block)


def _records(path: Path, encoding: str, delimiter: str, number: int) -> list[list[str]]:
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, skipinitialspace=True)
        try:
            return list(islice((row for row in reader if row), number))
        except csv.Error as error:
            raise BadInput(messages.TABLE_MALFORMED, path=path, line=reader.line_num, reason=error) from error


def _delimiter(path: Path, encoding: str) -> str:
    """The one by which most records have as many fields as the header; of several, the one with the most fields."""

    def fit(delimiter: str) -> tuple[float, int]:
        try:
            records = _records(path, encoding, delimiter, LOOK)
        except BadInput:
            return 0.0, 0
        width = len(records[0]) if records else 0
        return (sum(len(row) == width for row in records) / len(records), width) if width > 1 else (0.0, width)

    return max(DELIMITERS, key=fit)


def _parquet(path: Path):  # type: ignore[no-untyped-def]
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise BadInput(messages.TABLE_EXTRA, path=path) from error
    try:
        file = pyarrow.parquet.ParquetFile(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise BadInput(messages.TABLE_PARQUET, path=path, reason=" ".join(str(error).split())[:200]) from error
    rows, columns, found = file.metadata.num_rows, len(file.schema_arrow.names), path.stat().st_size
    if 8 * rows * columns > max(LARGE, GROWTH * found):
        raise BadInput(messages.TABLE_GROWS, path=path, found=found, rows=rows, columns=columns, times=8 * rows * columns // found)
    return file


def _text(value: object) -> str:
    if value is None or value != value:
        return ""
    return value.isoformat() if hasattr(value, "isoformat") else str(value).strip()
