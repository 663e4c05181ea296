"""The split of a person's own labelled rows, as `table_split` makes it, and sentences that are kept with the data in both languages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from danlu.data import table_split
from danlu.data.table_split import PARTS, TEST, TRAIN, VAL
from danlu.errors import Sentence

Note = dict[str, str]  # {"en": ..., "zh": ...}


def note(sentence: Sentence, **values: Any) -> Note:
    """The sentence in both languages, as plain values; a value may be a sentence itself."""
    both = {key: value if isinstance(value, Sentence) else Sentence(value, value) for key, value in values.items()}
    return {lang: getattr(sentence, lang).format(**{key: getattr(value, lang) for key, value in both.items()}) for lang in ("en", "zh")}


def split_rows(hashes: np.ndarray, classes: np.ndarray, given: np.ndarray, groups: bool = False) -> tuple[np.ndarray, str]:
    """The part of each row, int8 [rows], and how it was settled: "given", "hash" or "group".

    hashes: uint64 [rows], of what a row holds or of its group. classes: int64 [rows]. given: int8 [rows], the parts that the person chose;
    of the rows given as train a tenth each becomes val and test, unless there are such rows; given val without test leaves it at that.
    A class never lacks train rows where that can be helped; with three different rows it has one in each part (groups are never torn).
    """
    val, test = not (given == VAL).any(), not (given == TEST).any()
    free = given == TRAIN
    if not val or not free.any():
        return given, "given"
    own = table_split.by_hash(hashes[free], val, test)
    if not groups:
        own = table_split.with_rare_classes(own, hashes[free], classes[free], val, test)
        trained = np.bincount(classes[free][own == TRAIN], minlength=int(classes.max()) + 1)
        own[trained[classes[free]] == 0] = TRAIN  # one or two rows: nothing could be learned of them elsewhere
    parts = given.copy()
    parts[free] = own
    return parts, "group" if groups else "hash"


def sizes(parts: np.ndarray) -> dict[str, int]:
    """{"train": rows, "val": rows, "test": rows}"""
    return dict(zip(PARTS, np.bincount(parts, minlength=3).tolist()))


def without_validation(parts: np.ndarray, classes: np.ndarray, labels: Sequence[str], most: int = 20) -> list[tuple[str, int]]:
    """(label, train rows) of each class that validation does not see, `most` of them; none where there is no validation at all."""
    if not (parts == VAL).any():
        return []
    seen, train = (np.bincount(classes[parts == part], minlength=len(labels)) for part in (VAL, TRAIN))
    return [(labels[place], int(train[place])) for place in np.flatnonzero(seen == 0)[:most]]


def in_order(names: set[str]) -> tuple[str, ...]:
    """Labels in alphabetical order; whole numbers by their size."""
    whole = all(name.isascii() and name.removeprefix("-").isdigit() for name in names)
    return tuple(sorted(names, key=(lambda name: (int(name), name)) if whole else None))
