"""YAML text <-> plain data, by the YAML 1.2 core schema, strictly, with the line of every key.

`1e-3` is a number, `012` is twelve, `no` and `on` are text. Tags, anchors, aliases, repeated keys and second documents are refused, and
size and depth are bounded, so a file can neither run anything nor fill the memory. (YAML 1.2.2, 2021, section 10.3.)
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from danlu import messages
from danlu.describe.places import Key, Places, Spot
from danlu.errors import BadInput, Sentence
from danlu.find.names import Phrase

DEPTH = 50
VALUES = 100_000

_WHOLE = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"([-+]?)\.(inf|Inf|INF)")
_WORDS = {"": None, "~": None, **dict.fromkeys(("null", "Null", "NULL"))}
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)
_NAN = (".nan", ".NaN", ".NAN")


def scalar(text: str) -> Any:
    """The value of an unquoted scalar: None, bool, int, float, or the text itself. Raises OverflowError for a number too large to hold."""
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        if len(text) > 400:
            raise OverflowError(text)
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if _NUMBER.fullmatch(text):
        if math.isinf(value := float(text)):
            raise OverflowError(text)
        return value
    if found := _INFINITE.fullmatch(text):
        return -math.inf if found[1] == "-" else math.inf
    return math.nan if text in _NAN else text


def read(text: str, file: str | Phrase) -> tuple[Any, Places]:
    """The data in the text and the line of every key path.

    Raises BadInput, naming file and line, for anything that is not a plain, bounded, single YAML document.
    """
    lines: dict[Key, int] = {}
    spot = Spot(Places(file, lines))
    events = _events(text, spot)
    event = next(events, None)
    if event is None:
        return None, spot.places
    data = _Reader(events, lines, spot).value(event, ())
    if (extra := next(events, None)) is not None:
        raise _at(spot, extra, messages.ONE_DOCUMENT)
    return data, spot.places


def _events(text: str, spot: Spot) -> Iterator[Any]:
    """Nodes as they are parsed; stops at the first thing that a recipe may not have."""
    event: Any
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    depth = count = 0
    try:
        for event in yaml.parse(text, Loader=loader):
            if not isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent):
                continue
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            count += 1
            if depth > DEPTH:
                raise _at(spot, event, messages.TOO_DEEP, most=DEPTH)
            if count > VALUES:
                raise _at(spot, event, messages.TOO_MANY, most=VALUES)
            if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
                mark = f"{'*' if isinstance(event, yaml.AliasEvent) else '&'}{event.anchor}"
                raise _at(spot, event, messages.NO_ALIASES, mark=mark)
            if (tag := getattr(event, "tag", None)) is not None:
                raise _at(spot, event, messages.NO_TAGS, tag=tag)
            yield event
    except UnicodeEncodeError as error:  # half of a surrogate pair, from an undecodable command line
        raise spot.wrong(messages.SYNTAX, format="YAML", problem=error.reason) from error
    except yaml.YAMLError as error:
        at = getattr(error, "problem_mark", None)
        place = getattr(error, "position", None)  # characters that YAML does not allow come with their position only
        number = at.line if at else text.count("\n", 0, place) if isinstance(place, int) else 0
        rows = text.split("\n")
        row = rows[min(number, len(rows) - 1)]
        places = Places(spot.places.file, {(): number + 1})
        if "\t" in row[: len(row) - len(row.lstrip())]:
            raise Spot(places).wrong(messages.TAB) from error
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
        raise Spot(places).wrong(messages.SYNTAX, format="YAML", problem=problem) from error


class _Reader:
    """Builds values from events, and notes the line of each."""

    def __init__(self, events: Iterator[Any], lines: dict[Key, int], spot: Spot):
        self.events, self.lines, self.spot = events, lines, spot

    def value(self, event: Any, key: Key) -> Any:
        self.lines.setdefault(key, event.start_mark.line + 1)
        if isinstance(event, yaml.ScalarEvent):
            return self.plain(event)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(item := next(self.events), yaml.SequenceEndEvent):
                items.append(self.value(item, (*key, len(items))))
            return items
        mapping: dict[str, Any] = {}
        while not isinstance(start := next(self.events), yaml.MappingEndEvent):
            name = self.name(start)
            line = start.start_mark.line + 1
            if name in mapping:
                first = self.lines[*key, name]
                raise _on_line(self.spot.at(*key, name), line).wrong(messages.KEY_TWICE, first=first)
            self.lines[*key, name] = line
            mapping[name] = self.value(next(self.events), (*key, name))
        return mapping

    def name(self, event: Any) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise _at(self.spot, event, messages.KEY_NOT_TEXT, key="[...]" if isinstance(event, yaml.SequenceStartEvent) else "{...}")
        name = self.plain(event)
        if not isinstance(name, str):
            raise _at(self.spot, event, messages.KEY_NOT_TEXT, key=event.value or "null")
        return name

    def plain(self, event: Any) -> Any:
        if event.style not in (None, ""):  # quoted, or a block of text
            return event.value
        try:
            return scalar(event.value)
        except OverflowError:
            found = event.value if len(event.value) < 40 else event.value[:37] + "..."
            raise _at(self.spot, event, messages.NUMBER_TOO_LARGE, found=found) from None


def _on_line(spot: Spot, line: int) -> Spot:
    return Spot(Places(spot.places.file, {(): line}), spot.key)


def _at(spot: Spot, event: Any, sentence: Sentence, **values: Any) -> BadInput:
    return _on_line(Spot(spot.places), event.start_mark.line + 1).wrong(sentence, **values)


# ---- writing ----

_BARE = re.compile(r"[^\W\d][\w/+-]*(?:[.:\\][\w/+-]+)*|/[\w/+.-]*\w")
_OLD_WORDS = {"y", "n", "yes", "no", "on", "off"}  # text in YAML 1.2, but other readers may still follow 1.1


def write(data: Any, notes: Mapping[Key, str] | None = None) -> str:
    """YAML text that reads back as `data`, with a comment after each key that `notes` has one for."""
    return "\n".join(_lines(data, (), notes or {})) + "\n"


def _lines(data: Any, key: Key, notes: Mapping[Key, str]) -> Iterator[str]:
    if isinstance(data, Mapping) and data:
        for name, item in data.items():
            yield from _entry(f"{_text(name)}:", item, (*key, name), notes, "  ")
    elif isinstance(data, list | tuple) and not _flat(data):
        for place, item in enumerate(data):
            below = _lines(item, (*key, place), notes)
            yield "- " + next(below)
            yield from ("  " + line for line in below)
    else:
        yield flow(data)


def _entry(head: str, item: Any, key: Key, notes: Mapping[Key, str], indent: str) -> Iterator[str]:
    note = f"  # {notes[key]}" if notes.get(key) else ""
    if _flat(item):
        yield f"{head} {flow(item)}{note}"
    else:
        yield head + note
        yield from (indent + line for line in _lines(item, key, notes))


def _flat(data: Any) -> bool:
    if isinstance(data, Mapping):
        return not data
    return not isinstance(data, list | tuple) or all(not isinstance(item, Mapping | list | tuple) for item in data)


def flow(data: Any) -> str:
    """The data on one line."""
    if isinstance(data, Mapping):
        return "{" + ", ".join(f"{_text(name)}: {flow(item)}" for name, item in data.items()) + "}"
    if isinstance(data, list | tuple):
        return "[" + ", ".join(map(flow, data)) + "]"
    if isinstance(data, str):
        return _text(data)
    if isinstance(data, float):
        return _float(data)
    return {None: "null", True: "true", False: "false"}[data] if data is None or isinstance(data, bool) else str(data)


def _float(value: float) -> str:
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    if math.isnan(value):
        return ".nan"
    digits, mark, power = repr(value).partition("e")
    return f"{digits}.0e{power}" if mark and "." not in digits else repr(value)  # YAML 1.1 readers want the point


def _text(text: str) -> str:
    bare = _BARE.fullmatch(text) and len(text) < 100 and text.lower() not in _OLD_WORDS and isinstance(scalar(text), str)
    return text if bare else '"' + "".join(map(_escaped, text)) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    if letter == "\n":
        return "\\n"
    if letter.isprintable():
        return letter
    return f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else f"\\U{ord(letter):08x}"
