"""A person's own table: the kinds of its columns and the task are inferred, what was found is said, and the split never moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from danlu import messages
from danlu.data import table_split
from danlu.data.fingerprint import fingerprint
from danlu.data.read_table import Columns, TableFile, open_table
from danlu.data.room import room, rows_of
from danlu.data.source import Data, Facts, Tensors
from danlu.data.table import cardinalities, numeric_names
from danlu.data.table_form import encode, encode_target, fit_categorical, fit_numeric, label_of
from danlu.data.table_kinds import PARTS, Seen, dates, missing, moment, number, numbers
from danlu.data.table_split import TEST, TRAIN, VAL
from danlu.errors import BadInput, Sentence, language
from danlu.fields import NonNegativeInt

__all__ = ["Tabular", "encode", "encode_target", "notes"]

SAMPLE = 500_000  # values by which rules are settled; a table that holds more is sampled by hash
MOST_CLASSES = 1000
FEW_INTEGERS = 10  # different whole numbers up to which a target is classes


@dataclass(frozen=True)
class Tabular:
    """A table of your own (CSV, TSV or Parquet): numbers, categories and dates, to classify or to regress one column.

    Without `val_path`, `test_path`, `split`, `group` or `time` a hash of the row (all columns but the target and `ignore`) makes 10 % test
    and 10 % val; a class that has at least 3 different rows gets one of each part. The file is read twice, in chunks; what is kept is a
    float32 a number and an int64 a category, in a file of the cache folder where they are large.
    Inputs are {"numeric": float32, "category": int64}, targets int64 [rows] or float32 [rows, 1], standardised by the train rows.

    path: the file
    target: the column to be predicted
    task: classify or regress; auto looks at the target
    val_path: a file of validation rows
    test_path: a file of test rows
    split: a column that names train, val or test
    group: a column whose equal values stay in one part (a patient, a customer)
    time: a column of times; the newest rows are test
    ignore: columns to leave out
    numeric: columns that are numbers, whatever they look like
    categorical: columns that are categories, whatever they look like
    workers: processes that fetch rows; 0 fetches in the main process

    中文: 自己的表格（CSV、TSV 或 Parquet）：数值、类别和日期列，预测其中一列。
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
        first = _First(self, files)
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


class _First:
    """The first reading: what each column holds, the part of each row, and a sample of rows as text."""

    def __init__(self, asked: Tabular, files: list[tuple[TableFile, int]]):
        names = files[0][0].names
        outside = {asked.target, asked.split, asked.group, *asked.ignore}
        self.notes: list[dict[str, str]] = []
        self.inputs = [name for name in names if name not in outside]
        self.seen = {name: Seen() for name in self.inputs}
        self.goal = Seen()
        hashed = [name for name in names if name not in {asked.target, asked.split, *asked.ignore}] or [asked.target]
        low, kept, size = np.uint64(1 << 32), [], max(1000, SAMPLE // len(names))
        hashes, sampler, targets, times, given, self.dropped = [], [], [], [], [], 0
        at = 0
        for file, part in files:
            for chunk in file.chunks():
                chunk, lost = _labelled(chunk, asked.target)
                self.dropped += lost
                if not chunk[asked.target]:
                    continue
                for name, seen in self.seen.items():
                    seen.add(chunk[name])
                self.goal.add(chunk[asked.target])
                own = table_split.row_hashes(chunk, [name for name in hashed if name in chunk])
                sampler.append((own & np.uint64(0xFFFFFFFF)).astype(np.uint32))
                hashes.append(table_split.row_hashes(chunk, [asked.group]) if asked.group in chunk else own)
                targets.append("\0".join(chunk[asked.target]))  # one text is a fifth of many
                given.append(np.full(len(own), part, np.int8))
                if part == TRAIN and asked.split:
                    given[-1] = table_split.named(asked.split, chunk[asked.split])
                if asked.time:
                    times.append(times_of(asked.time, chunk[asked.time]) if asked.time in chunk else np.zeros(len(own)))
                ids = np.flatnonzero(sampler[-1] < low)
                kept.append((ids + at, {name: [chunk[name][row] for row in ids] for name in self.inputs}))
                at += len(own)
                while sum(len(rows) for rows, _ in kept) > 2 * size and low > 1:
                    low = low >> np.uint64(1)
                    kept = [_below(part_kept, np.concatenate(sampler), low) for part_kept in kept]
        if not at:
            raise BadInput(
                messages.TABLE_TARGET_MISSING if self.dropped else messages.TABLE_HEADER_ONLY, target=asked.target, path=asked.path
            )
        self._settle_task(asked)
        sampler.clear()
        self.y, self.labels = self._targets(targets, at)
        self.parts = self._split(asked, _joined(hashes), _joined(given), _joined(times) if times else None)
        self._sample(kept)

    def note(self, sentence: Sentence, **values: Any) -> None:
        both = {key: {"en": v.en, "zh": v.zh} if isinstance(v, Sentence) else {"en": v, "zh": v} for key, v in values.items()}
        say = {lang: getattr(sentence, lang).format(**{key: v[lang] for key, v in both.items()}) for lang in ("en", "zh")}
        self.notes.append(say)

    def _settle_task(self, asked: Tabular) -> None:
        goal, self.task = self.goal, asked.task
        few = goal.is_numeric() and goal.whole and len(goal.distinct) <= FEW_INTEGERS
        if self.task == "auto":
            self.task = "regress" if goal.is_numeric() and not few else "classify"
            count = len(goal.distinct)
            reason = Sentence(*(part.format(count=count) for part in messages.TABLE_FEW_INTEGERS)) if few else messages.TABLE_MANY_NUMBERS
            if not goal.is_numeric():
                reason = Sentence(*(part.format(count=count) for part in messages.TABLE_TEXTS))
            self.note(messages.TABLE_TASK, target=asked.target, task=self.task, reason=reason)
        if self.task == "classify" and len(goal.distinct) > MOST_CLASSES:
            raise BadInput(messages.TABLE_MANY_CLASSES, target=asked.target, count=len(goal.distinct), most=MOST_CLASSES)
        if self.dropped:
            self.note(messages.TABLE_DROPPED, count=self.dropped, target=asked.target)
        self.target = asked.target

    def _targets(self, chunks: list[str], rows: int) -> tuple[np.ndarray, list[str]]:
        if self.task == "regress":
            return _filled(rows, np.float64, chunks, lambda values: numbers(self.target, values)), []
        whole = self.goal.is_numeric() and self.goal.whole
        labels = sorted({label_of(value, whole) for value in self.goal.distinct}, key=(lambda v: (int(v), v)) if whole else None)
        if len(labels) < 2:
            raise BadInput(messages.TABLE_ONE_CLASS, target=self.target, label=labels[0])
        place = {label: number for number, label in enumerate(labels)}
        code = {value: place[label_of(value, whole)] for value in self.goal.distinct}
        return _filled(rows, np.int32, chunks, lambda values: [code[value] for value in values]), labels

    def _split(self, asked: Tabular, hashes: np.ndarray, given: np.ndarray, times: np.ndarray | None) -> np.ndarray:
        parts, val, test = given, not asked.val_path, not asked.test_path
        free = given == TRAIN
        how = "given"
        if asked.split:
            val, test = val and not (given == VAL).any(), test and not (given == TEST).any()
        if (val or test) and not (asked.split and not val):
            how = "time" if times is not None else "group" if asked.group else "hash"
            hashes = hashes if free.all() else hashes[free]
            own = table_split.by_time(times[free], val, test) if times is not None else table_split.by_hash(hashes, val, test)
            if how == "hash" and self.task == "classify":
                own = table_split.with_rare_classes(own, hashes, self.y[free], val, test)
            parts = given.copy()
            parts[free] = own
        sizes = np.bincount(parts, minlength=3)
        if not sizes[TRAIN]:
            raise BadInput(messages.TABLE_NO_TRAIN, path=asked.path)
        named = dict(zip(table_split.PARTS, map(int, sizes)))
        self.note(messages.TABLE_SPLIT_SIZES, **named, how=messages.TABLE_HOW[how])
        if self.labels and sizes[VAL]:
            in_val, in_train = (np.bincount(self.y[parts == part], minlength=len(self.labels)) for part in (VAL, TRAIN))
            for label in np.flatnonzero(in_val == 0)[:20]:
                self.note(messages.TABLE_NO_VALIDATION, label=self.labels[label], count=int(in_train[label]))
        return parts

    def _sample(self, kept: list[tuple[np.ndarray, Columns]]) -> None:
        """The train rows of the sample, as text."""
        self.sample: Columns = {name: [] for name in self.inputs}
        for ids, columns in kept:
            train = np.flatnonzero(self.parts[ids] == TRAIN)
            for name, values in columns.items():
                self.sample[name] += [values[row] for row in train]
        count = len(self.sample[self.inputs[0]]) if self.inputs else 0
        if count < int((self.parts == TRAIN).sum()) and self.inputs:
            self.note(messages.TABLE_SAMPLED, count=count)


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    """All of them as one; the list is emptied, since both at once are twice the memory."""
    whole = np.concatenate(parts)
    parts.clear()
    return whole


def _filled(rows: int, dtype: Any, chunks: list[str], read: Callable[[list[str]], Any]) -> np.ndarray:
    """An array of what `read` makes of each chunk's values; a chunk is let go when it is read."""
    whole, at = np.empty(rows, dtype), 0
    while chunks:
        values = chunks.pop(0).split("\0")
        whole[at : at + len(values)] = read(values)
        at += len(values)
    return whole


def _labelled(chunk: Columns, target: str) -> tuple[Columns, int]:
    """The rows that have a target, and how many have none."""
    there = [row for row, value in enumerate(chunk[target]) if not missing(value)]
    lost = len(chunk[target]) - len(there)
    return ({name: [values[row] for row in there] for name, values in chunk.items()} if lost else chunk), lost


def _below(kept: tuple[np.ndarray, Columns], sampler: np.ndarray, low: np.uint64) -> tuple[np.ndarray, Columns]:
    ids, columns = kept
    stay = np.flatnonzero(sampler[ids] < low)
    return ids[stay], {name: [values[row] for row in stay] for name, values in columns.items()}


def times_of(column: str, values: list[str]) -> np.ndarray:
    """Times as float64 [rows], later is larger. Raises BadInput for what is neither a number nor a date (year first)."""
    found = np.empty(len(values))
    for row, value in enumerate(values):
        at = number(value)
        at = (moment(value, "ymd") or (None,))[0] if at is None else at
        if at is None:
            raise BadInput(messages.TABLE_TIME_MISSING, column=column, row=row, value=value[:60])
        found[row] = at
    return found


def _rules(asked: Tabular, first: _First) -> tuple[dict[str, Any], Facts]:
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


def _kind(asked: Tabular, first: _First, name: str, seen: Seen) -> str | None:
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


def _second(asked: Tabular, files: list[tuple[TableFile, int]], first: _First, form: dict[str, Any]) -> dict[str, Tensors | None]:
    """The second reading: every row encoded, straight into its part."""
    sizes, category = np.bincount(first.parts, minlength=3), len(form["categorical"])
    x = [room((int(size), len(form["columns"])), torch.float32) for size in sizes]
    c = [room((int(size), category), torch.int64) for size in sizes]
    filled, at = [0, 0, 0], 0
    for file, _ in files:
        for chunk in file.chunks():
            chunk, _ = _labelled(chunk, asked.target)
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


def _target(first: _First, form: dict[str, Any], part: int) -> Tensor:
    y = torch.from_numpy(first.y[first.parts == part])
    return y.long() if first.labels else ((y - form["shift"]) / form["scale"]).float()[:, None]


def notes(form: dict[str, Any]) -> list[str]:
    """What was found in the table, a sentence each, in the chosen language."""
    return [note[language()] for note in form.get("notes", ())]
