"""A first look at a table: columns and their kinds, what is missing, classes, repeated rows, leaks, and what to train."""

from __future__ import annotations

import functools
import shlex
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from danlu import messages
from danlu.data import table_split
from danlu.data.read_table import Columns, open_table
from danlu.data.table_kinds import MOST_DISTINCT, Seen, missing, number
from danlu.data.table_split import PARTS
from danlu.errors import BadInput, Sentence
from danlu.look.found import SHOWN, Look, shared, short, some, twice

GOALS = ("target", "label", "labels", "class", "category", "y", "outcome", "price", "quality", "income", "intent")
GOALS_ZH = ("标签", "类别", "目标", "价格")
ENDINGS = ("_label", "_class", "_target", "_price", "_value")
LONG = 25  # mean characters from which a column of different texts is text to read, no name
FEW = 200  # different values up to which a column may be classes


def look_at_table(fields: Mapping[str, str]) -> Look:
    """fields: `path`, and where given `val_path`, `test_path`, `split`, `target`, `text`. The files are read once, in chunks."""
    files = {"train": fields["path"], "val": fields.get("val_path", ""), "test": fields.get("test_path", "")}
    names = open_table(fields["path"]).names
    for field in ("target", "text", "split"):
        if fields.get(field) and fields[field] not in names:
            values = {"column": fields[field], "field": field, "columns": ", ".join(names)}
            raise BadInput(messages.TABLE_NO_COLUMN, path=fields["path"], **values)
    scan = _Scan(names, fields.get("split", ""))
    for part, path in files.items():
        if path:
            for chunk in open_table(path).chunks():
                scan.add(chunk, part)
    found = Look("table")
    rows = sum(map(len, scan.hashes.values()))
    found.say(messages.LOOK_TABLE, rows=rows, columns=len(names), path=fields["path"])
    goal, guessed = _goal(fields, scan)
    text = fields.get("text") or _text(scan, goal)
    columns = [_column(name, scan, name == text) for name in names]
    head = (messages.LOOK_COLUMN, messages.LOOK_KIND, messages.LOOK_MISSING, messages.LOOK_DISTINCT, messages.LOOK_VALUES)
    found.grid = [[*head], *([c["name"], messages.LOOK_KINDS[c["kind"]], _share(c), _distinct(c), c["shown"]] for c in columns)]
    if goal:
        found.say(messages.LOOK_GUESSED if guessed else messages.LOOK_TARGET, target=goal)
        _classes(found, scan, goal)
    if text:
        found.say(messages.LOOK_LENGTHS, column=text, mean=round(scan.mean_length(text)), greatest=scan.longest[text])
    _warn(found, scan, columns, goal)
    found.suggest = _command(fields, goal, text)
    parts = {part: len(own) for part, own in scan.hashes.items()}
    found.plain = {"rows": rows, "parts": parts, "columns": columns, "target": goal, "target_guessed": guessed,
                   "repeated": scan.repeated,
                   "shared": shared(scan.hashes), "classes": dict(scan.counts[goal].most_common(100)) if goal else {}}  # fmt: skip
    return found


class _Scan:
    """One reading of all files."""

    def __init__(self, names: tuple[str, ...], split: str):
        self.names, self.split = names, split
        self.seen = {name: Seen() for name in names}
        self.counts: dict[str, Counter[str]] = {name: Counter() for name in names}  # of values, while they are few
        self.lengths = dict.fromkeys(names, 0)  # characters of all values
        self.longest = dict.fromkeys(names, 0)
        self._hashes: dict[str, list[np.ndarray]] = {}
        self.examples: dict[str, list[str]] = {name: [] for name in names}
        self.same = dict.fromkeys(names, True)

    def add(self, chunk: Columns, part: str) -> None:
        own = table_split.row_hashes(chunk, [name for name in self.names if name in chunk and name != self.split])
        parts = np.full(len(own), PARTS.index(part))
        if self.split and self.split in chunk:
            parts = table_split.named(self.split, chunk[self.split])
        for place, name in enumerate(PARTS):
            if (mine := own[parts == place]).size:
                self._hashes.setdefault(name, []).append(mine)
        for name in self.names:
            values = chunk.get(name, [])
            self.seen[name].add(values)
            lengths = [len(value) for value in values]
            self.lengths[name] += sum(lengths)
            self.longest[name] = max(self.longest[name], *lengths, 0)
            if len(self.counts[name]) <= FEW:
                self.counts[name].update("" if missing(value) else value for value in values)
            for value in values if len(self.examples[name]) < SHOWN else ():
                if not missing(value) and value not in self.examples[name] and len(self.examples[name]) < SHOWN:
                    self.examples[name].append(value)

    @functools.cached_property
    def hashes(self) -> dict[str, np.ndarray]:
        """uint64 [rows] of each part, when all has been read."""
        return {part: np.concatenate(self._hashes.pop(part)) for part in PARTS if part in self._hashes}

    @functools.cached_property
    def repeated(self) -> int:
        """Rows that repeat an earlier one, of any part."""
        parts = list(self.hashes.values())
        return twice(parts[0] if len(parts) == 1 else np.concatenate(parts)) if parts else 0

    def mean_length(self, name: str) -> float:
        return self.lengths[name] / max(1, self.seen[name].there)

    def few(self, name: str) -> bool:
        """Whether the column could be classes."""
        return 2 <= len(self.seen[name].distinct) <= FEW and len(self.seen[name].distinct) <= max(2, self.seen[name].there // 5)


def _column(name: str, scan: _Scan, text: bool) -> dict[str, Any]:
    seen = scan.seen[name]
    if not seen.there:
        kind = "empty"
    elif len(seen.distinct) == 1 and not seen.missing:
        kind = "constant"
    elif seen.is_row_number():
        kind = "row_number"
    elif seen.is_numeric():
        kind = "numeric"
    elif seen.is_date():
        kind = "date"
    elif text:
        kind = "text"
    else:
        kind = "identifier" if seen.is_identifier() else "categorical"
    plain: dict[str, Any] = {"name": name, "kind": kind, "missing": seen.missing, "rows": seen.rows, "distinct": len(seen.distinct)}
    plain["distinct_or_more"] = len(seen.distinct) >= MOST_DISTINCT
    if kind in ("numeric", "row_number"):
        plain |= {"least": seen.low, "greatest": seen.high}
        shown = f"{seen.low:g} … {seen.high:g}"
    elif kind == "categorical" and len(scan.counts[name]) <= FEW:
        top = [(value, count) for value, count in scan.counts[name].most_common(SHOWN + 1) if value][:SHOWN]
        plain["top"] = dict(top)
        shown = ", ".join(f"{short(value, 16)} ({count})" for value, count in top)
    else:
        shown = ", ".join(short(value, 60 if text else 20) for value in scan.examples[name][: 1 if text else SHOWN])
    return {**plain, "examples": scan.examples[name], "shown": shown}


def _share(column: dict[str, Any]) -> str:
    return f"{column['missing'] / column['rows']:.1%}" if column["missing"] else "-"


def _distinct(column: dict[str, Any]) -> str:
    return f"{column['distinct']}{'+' if column['distinct_or_more'] else ''}"


def _goal(fields: Mapping[str, str], scan: _Scan) -> tuple[str, bool]:
    """The column to predict, and whether that is a guess: one that is called so, else the last that could be."""
    if fields.get("target"):
        return fields["target"], False
    possible = [name for name in scan.names if name not in (fields.get("split"), fields.get("text")) and _predictable(scan, name)]
    called = [name for name in possible if name.lower() in (*GOALS, *GOALS_ZH) or name.lower().endswith(ENDINGS)]
    return (called[-1] if called else possible[-1] if possible else ""), True


def _predictable(scan: _Scan, name: str) -> bool:
    seen = scan.seen[name]
    return len(seen.distinct) > 1 and not seen.is_row_number() and (seen.is_numeric() or scan.few(name))


def _text(scan: _Scan, goal: str) -> str:
    """The column of texts to read, if the target could be classes and such a column is there: the longest."""
    if not goal or not scan.few(goal):
        return ""
    others = [name for name in scan.names if name != goal and not scan.seen[name].is_numeric()]
    texts = [name for name in others if scan.seen[name].is_identifier() and scan.mean_length(name) >= LONG]
    return max(texts, key=scan.mean_length, default="")


def _classes(found: Look, scan: _Scan, goal: str) -> None:
    counts = Counter({value: count for value, count in scan.counts[goal].items() if value})
    if not scan.few(goal) or (scan.seen[goal].is_numeric() and not scan.seen[goal].whole):
        return
    most, least = counts.most_common(1)[0], counts.most_common()[-1]
    shown = some([f"{short(value, 20)} ({count})" for value, count in counts.most_common()])
    found.say(messages.LOOK_CLASSES, count=len(counts), classes=shown)
    if least[1] < 10:
        found.say(messages.LOOK_RARE, count=sum(count < 10 for count in counts.values()), label=least[0], rows=least[1])
    if most[1] > 0.9 * sum(counts.values()):
        found.say(messages.LOOK_ONE_SIDED, label=most[0], share=f"{most[1] / sum(counts.values()):.1%}")


def _warn(found: Look, scan: _Scan, columns: list[dict[str, Any]], goal: str) -> None:
    kinds: dict[str, Sentence] = {
        "empty": messages.LOOK_EMPTY,
        "constant": messages.LOOK_CONSTANT,
        "row_number": messages.LOOK_ROW_NUMBER,
        "identifier": messages.LOOK_IDENTIFIER,
    }
    for kind, sentence in kinds.items():
        if names := [c["name"] for c in columns if c["kind"] == kind]:
            found.say(sentence, columns=some(names))
    if odd := [name for name in scan.names if number(name) is not None]:
        found.say(messages.LOOK_NO_HEAD, columns=some(odd))
    if goal and scan.seen[goal].missing:
        found.say(messages.LOOK_NO_TARGET, count=scan.seen[goal].missing, target=goal)
    if goal:
        copies = [n for n in scan.names if n != goal and scan.few(goal) and scan.counts[n] == scan.counts[goal] and len(scan.counts[n]) > 1]
        if copies:
            found.say(messages.LOOK_COPY, columns=some(copies), target=goal)
    if again := scan.repeated:
        found.say(messages.LOOK_REPEATED, count=again)
    for parts, count in shared(scan.hashes).items():
        found.say(messages.LOOK_SHARED, count=count, parts=parts)


def _command(fields: Mapping[str, str], goal: str, text: str) -> str:
    if not goal:
        return ""
    given = {key: value for key, value in fields.items() if key in ("path", "val_path", "test_path", "split") and value}
    given |= ({"text": text} if text else {}) | {"target": goal}
    words = [shlex.quote(f"data.{key}={value}") for key, value in given.items()]
    return " ".join(["danlu train", "classify-text" if text else "tabular", *words])
