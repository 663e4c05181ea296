"""Plain text in columns. A Chinese character is two columns wide, and a line may end after any of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

_PIECE = re.compile(r"\s+|[（《“‘]*(?:[\u2e80-\u9fff\uf900-\uffef]|[^\s\u2e80-\u9fff\uf900-\uffef]+)")  # an opening mark ends no line
_NOT_FIRST = set("，。；：、！？）》”’")  # Chinese punctuation does not begin a line


def width(text: str) -> int:
    """Columns that the text takes in a terminal."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 0 if unicodedata.combining(letter) else 1 for letter in text)


def padded(text: str, columns: int) -> str:
    return text + " " * max(columns - width(text), 0)


def wrapped(text: str, columns: int) -> list[str]:
    """The text in lines of at most that many columns; a longer word has a line of its own."""
    lines = [""]
    for piece in _PIECE.findall(text):
        if "\n" in piece:
            lines.append("")
        elif lines[-1] and width(lines[-1] + piece) > columns and piece[0] not in _NOT_FIRST:
            lines[-1] = lines[-1].rstrip()
            lines.append(piece.lstrip())
        elif lines[-1] or not piece.isspace():
            lines[-1] += piece
    return [line.rstrip() for line in lines]


def aligned(rows: Iterable[Sequence[str]], columns: int, indent: int = 2, widest: int = 28) -> str:
    """Two columns: names, and what is said about each, wrapped beside its name (or below it, where the name is long)."""
    rows = list(rows)
    first = min(max((width(name) for name, _ in rows), default=0), widest)
    lines = []
    for name, about in rows:
        said = wrapped(about, max(columns - first - indent - 2, 30))
        if width(name) > first:
            lines.append(" " * indent + name)
        else:
            lines.append(f"{' ' * indent}{padded(name, first)}  {said.pop(0)}".rstrip())
        lines += [f"{' ' * (indent + first + 2)}{line}".rstrip() for line in said]
    return "\n".join(lines)


def grid(rows: list[list[str]], indent: int = 2) -> str:
    """Cells in columns: the first flush left, the others flush right."""
    wide = [max(width(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [padded(row[0], wide[0]), *(" " * (size - width(cell)) + cell for cell, size in zip(row[1:], wide[1:]))]
        lines.append(" " * indent + "  ".join(cells).rstrip())
    return "\n".join(lines)


def cut_grid(rows: list[list[str]], columns: int, indent: int = 2) -> str:
    """Cells in columns, flush left; the last column is cut where the page ends."""
    wide = [max(width(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = []
    for row in rows:
        line = " " * indent + "  ".join(padded(cell, size) for cell, size in zip(row, wide))
        while width(line.rstrip()) > columns:
            line = line.rstrip()[:-2] + "…" if line.rstrip().endswith("…") else line.rstrip()[:-1] + "…"
        lines.append(line.rstrip())
    return "\n".join(lines)
