"""JSON text -> plain data, strictly, with the line of every key; and back.

JSON has no infinity, so it is written as the text ".inf", which a field of numbers understands.
"""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_left
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from danlu import messages
from danlu.describe.places import Key, Places, Spot
from danlu.describe.yaml12 import DEPTH, VALUES
from danlu.errors import Sentence
from danlu.find.names import Phrase

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None}


def read(text: str, file: str | Phrase) -> tuple[Any, Places]:
    """The data in the text and the line of every key path. Raises BadInput, naming file and line, for anything that is not plain JSON."""
    lines: dict[Key, int] = {}
    reader = _Reader(text, lines, file)
    data, end = reader.value(reader.skip(0), ())
    if reader.skip(end) != len(text):
        raise reader.wrong(end, messages.SYNTAX, format="JSON", problem=f"{text[reader.skip(end)]!r} after the end")
    return data, Places(file, lines)


def write(data: Any) -> str:
    """JSON text of plain data, indented."""
    return json.dumps(_finite(data), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _finite(data: Any) -> Any:
    if isinstance(data, float) and math.isinf(data):
        return ".inf" if data > 0 else "-.inf"
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    return [_finite(value) for value in data] if isinstance(data, list | tuple) else data


class _Reader:
    """Reads a value from a position, and returns it with the position after it."""

    def __init__(self, text: str, lines: dict[Key, int], file: str | Phrase):
        self.text, self.lines, self.file, self.count = text, lines, file, 0
        self.ends = [found.start() for found in re.finditer("\n", text)]

    def skip(self, at: int) -> int:
        return _SPACE.match(self.text, at).end()  # type: ignore[union-attr]

    def line(self, at: int) -> int:
        return bisect_left(self.ends, at) + 1

    def wrong(self, at: int, sentence: Sentence, key: Key = (), **values: Any) -> Exception:
        return Spot(Places(self.file, {(): self.line(at)}), key).wrong(sentence, **values)

    def unexpected(self, at: int, wanted: str) -> Exception:
        found = repr(self.text[at]) if at < len(self.text) else "the end"
        return self.wrong(at, messages.SYNTAX, format="JSON", problem=f"expected {wanted}, found {found}")

    def value(self, at: int, key: Key) -> tuple[Any, int]:
        self.count += 1
        if self.count > VALUES:
            raise self.wrong(at, messages.TOO_MANY, most=VALUES)
        if len(key) > DEPTH:
            raise self.wrong(at, messages.TOO_DEEP, most=DEPTH)
        self.lines.setdefault(key, self.line(at))
        start = self.text[at : at + 1]
        if start == "{":
            return self.mapping(at + 1, key)
        if start == "[":
            return self.items(at + 1, key)
        if start == '"':
            return self.string(at)
        if number := _NUMBER.match(self.text, at):
            return self.number(number, at), number.end()
        word = next((word for word in _WORDS if self.text.startswith(word, at)), None)
        if word is None:
            raise self.unexpected(at, "a value")
        return _WORDS[word], at + len(word)

    def number(self, found: re.Match[str], at: int) -> int | float:
        whole = not (found[2] or found[3])
        if (whole and len(found[0]) > 400) or (not whole and math.isinf(float(found[0]))):
            raise self.wrong(at, messages.NUMBER_TOO_LARGE, found=found[0][:37])
        return int(found[0]) if whole else float(found[0])

    def string(self, at: int) -> tuple[str, int]:
        try:
            found: tuple[str, int] = scanstring(self.text, at + 1, True)
        except json.JSONDecodeError as error:
            raise self.wrong(error.pos, messages.SYNTAX, format="JSON", problem=error.msg) from error
        return found

    def items(self, at: int, key: Key) -> tuple[list[Any], int]:
        found: list[Any] = []
        at = self.skip(at)
        while self.text[at : at + 1] != "]":
            if found:
                at = self.comma(at, "`,` or `]`")
            item, at = self.value(at, (*key, len(found)))
            found.append(item)
            at = self.skip(at)
        return found, at + 1

    def mapping(self, at: int, key: Key) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        at = self.skip(at)
        while self.text[at : at + 1] != "}":
            if found:
                at = self.comma(at, "`,` or `}`")
            if self.text[at : at + 1] != '"':
                raise self.unexpected(at, "a key in quotes")
            start = at
            name, at = self.string(at)
            if name in found:
                raise self.wrong(start, messages.KEY_TWICE, (*key, name), first=self.lines[*key, name])
            self.lines[*key, name] = self.line(start)
            at = self.skip(at)
            if self.text[at : at + 1] != ":":
                raise self.unexpected(at, "`:`")
            found[name], at = self.value(self.skip(at + 1), (*key, name))
            at = self.skip(at)
        return found, at + 1

    def comma(self, at: int, wanted: str) -> int:
        if self.text[at : at + 1] != ",":
            raise self.unexpected(at, wanted)
        return self.skip(at + 1)
