"""The first reading of a person's own table: what each column holds, the part of each row, and a sample that rules are settled on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from danlu import messages
from danlu.data import table_split
from danlu.data.own_split import Note, note
from danlu.data.read_table import Columns, TableFile
from danlu.data.table_form import label_of
from danlu.data.table_kinds import Seen, missing, moment, number, numbers
from danlu.data.table_split import TEST, TRAIN, VAL
from danlu.errors import BadInput, Sentence

if TYPE_CHECKING:
    from danlu.data.tabular import Tabular

SAMPLE = 500_000  # values by which rules are settled; a table that holds more is sampled by hash
MOST_CLASSES = 1000
FEW_INTEGERS = 10  # different whole numbers up to which a target is classes


class Scan:
    """The first reading: what each column holds, the part of each row, and a sample of rows as text."""

    def __init__(self, asked: Tabular, files: list[tuple[TableFile, int]]):
        names = files[0][0].names
        outside = {asked.target, asked.split, asked.group, *asked.ignore}
        self.notes: list[Note] = []
        self.inputs = [name for name in names if name not in outside]
        self.seen = {name: Seen() for name in self.inputs}
        self.goal = Seen()
        hashed = [name for name in names if name not in {asked.target, asked.split, *asked.ignore}] or [asked.target]
        low, kept, size = np.uint64(1 << 32), [], max(1000, SAMPLE // len(names))
        hashes, sampler, targets, times, given, self.dropped = [], [], [], [], [], 0
        at = 0
        for file, part in files:
            for chunk in file.chunks():
                chunk, lost = labelled(chunk, asked.target)
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
            empty = messages.TABLE_TARGET_MISSING if self.dropped else messages.TABLE_HEADER_ONLY
            raise BadInput(empty, target=asked.target, path=asked.path, rows=self.dropped)
        self._settle_task(asked)
        sampler.clear()
        self.y, self.labels = self._targets(targets, at)
        self.parts = self._split(asked, _joined(hashes), _joined(given), _joined(times) if times else None)
        self._sample(kept)

    def note(self, sentence: Sentence, **values: Any) -> None:
        self.notes.append(note(sentence, **values))

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
            raise BadInput(messages.TABLE_ONE_CLASS, target=self.target, label=labels[0], rows=rows)
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


def labelled(chunk: Columns, target: str) -> tuple[Columns, int]:
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
