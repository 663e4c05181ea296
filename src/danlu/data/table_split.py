"""Which part of the data a row of a person's own table belongs to: a function of what the row holds, never of its place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from danlu import messages
from danlu.data.read_table import Columns
from danlu.errors import BadInput

TRAIN, VAL, TEST = range(3)
PARTS = ("train", "val", "test")
WORDS = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "dev"), VAL),
    **dict.fromkeys(("test", "testing"), TEST),
}
SHARE = 0.1  # of the rows are test, as many are val


def row_hashes(columns: Columns, names: Sequence[str]) -> np.ndarray:
    """uint64 [rows]: a hash of each row's values in `names`, in the order of the names; equal rows have equal ones."""
    rows = zip(*(columns[name] for name in sorted(names)))
    joined = ("\x1f".join(row).encode("utf-8", "surrogatepass") for row in rows)
    return np.array([int.from_bytes(blake2b(text, digest_size=8).digest(), "little") for text in joined], dtype=np.uint64)


def by_hash(hashes: np.ndarray, val: bool = True, test: bool = True) -> np.ndarray:
    """int8 [rows]: the lowest tenth of all hashes is test, the next val, the rest train. Without `val` or `test`, no row is that."""
    first, second = (np.uint64(math.ceil(SHARE * share * 2**32) << 32) for share in (1, 2))
    parts = np.zeros(len(hashes), dtype=np.int8)
    if test:
        parts[hashes < first] = TEST
    if val:
        parts[(hashes >= first) & (hashes < second)] = VAL
    return parts


def with_rare_classes(parts: np.ndarray, hashes: np.ndarray, classes: np.ndarray, val: bool = True, test: bool = True) -> np.ndarray:
    """The same parts, but where a class of at least 3 different hashes lacks a part, one hash of it is moved there from the largest part.

    The moved one is the lowest hash of that largest part for test, the highest for val, so it depends on the class's rows alone, on no
    order. (Only in such a class can another row change what part a row is in.)
    """
    parts = parts.copy()
    wanted = [TRAIN, *([VAL] if val else []), *([TEST] if test else [])]
    counts = np.stack([np.bincount(classes[parts == part], minlength=int(classes.max()) + 1) for part in range(3)])
    for label in np.flatnonzero((counts[wanted] == 0).any(0) & (counts.sum(0) > 0)):
        own = np.flatnonzero(classes == label)
        unique = np.unique(hashes[own])
        if len(unique) < 3:
            continue
        for part in wanted:
            if (parts[own] == part).any():
                continue
            sizes = [len(np.unique(hashes[own[parts[own] == other]])) for other in range(3)]
            source = np.unique(hashes[own[parts[own] == int(np.argmax(sizes))]])
            moved = source[0] if part == TEST else source[-1]
            parts[own[hashes[own] == moved]] = part
    return parts


def by_time(times: np.ndarray, val: bool = True, test: bool = True) -> np.ndarray:
    """The newest tenth of the rows is test, the tenth before it val. Rows of one time stay together, in the older part."""
    order = np.sort(times)
    parts = np.zeros(len(times), dtype=np.int8)
    tenths = int(val) + int(test)
    if val:
        parts[times > order[max(0, int(len(order) * (1 - SHARE * tenths)) - 1)]] = VAL
    if test:
        parts[times > order[max(0, int(len(order) * (1 - SHARE)) - 1)]] = TEST
    return parts


def named(column: str, values: Sequence[str]) -> np.ndarray:
    """The parts that a column names. Raises BadInput for another word."""
    for value in set(values):
        if value.lower() not in WORDS:
            raise BadInput(messages.TABLE_BAD_SPLIT, column=column, value=value[:60])
    return np.array([WORDS[value.lower()] for value in values], dtype=np.int8)
