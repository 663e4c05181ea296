"""Which rows are held out in which fold: a function of what rows hold, so that equal rows are never on both sides."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from danlu import messages
from danlu.data.table_split import TEST, TRAIN, VAL
from danlu.errors import BadInput

LEFT_OUT = -1
VALIDATION = 10  # one in so many of the rows that are not held out chooses the weights


def folds(
    count: int,
    hashes: np.ndarray,
    classes: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    times: np.ndarray | None = None,
    among: np.ndarray | None = None,
    repeat: int = 0,
) -> Iterator[np.ndarray]:
    """The part of each row in each of `count` folds, int8 [rows]: TEST is held out, VAL is cut from the rest; LEFT_OUT is not used.

    hashes, groups: uint64 [rows], of what a row holds and of its group. classes: int64 [rows], of which each fold gets an equal share.
    times: float64 [rows]; then each fold holds out a later part than it trains on, and the first part is never held out. among: bool
    [rows], the rows to use. repeat: another number deals the rows anew. Raises BadInput for more folds than there are things to deal.
    """
    there = np.ones(len(hashes), bool) if among is None else among
    if times is not None:
        yield from _in_time(count, times, there)
        return
    units = _mixed(hashes if groups is None else groups, repeat)
    fold = np.full(len(units), LEFT_OUT)
    kinds = np.zeros(len(units), np.int64) if classes is None or groups is not None else classes
    start = 0
    if len(np.unique(units[there])) < count:
        raise BadInput(messages.FOLDS_TOO_MANY, folds=count, found=len(np.unique(units[there])))
    for kind in np.unique(kinds[there]):
        own = there & (kinds == kind)
        dealt, place = np.unique(units[own], return_inverse=True)
        fold[own] = (start + place) % count
        start += len(dealt)  # the next class goes on where this one ended, so that small classes do not all begin with one fold
    cut = _mixed(units, 1) % np.uint64(VALIDATION) == 0
    for number in range(count):
        parts = np.where(there, TRAIN, LEFT_OUT).astype(np.int8)
        parts[there & cut] = VAL
        parts[fold == number] = TEST
        yield _with_both(parts)


def _in_time(count: int, times: np.ndarray, there: np.ndarray) -> Iterator[np.ndarray]:
    order = np.sort(times[there])
    if len(np.unique(order)) <= count:
        raise BadInput(messages.FOLDS_TOO_MANY, folds=count, found=len(np.unique(order)) - 1)
    ends = [order[min(len(order) - 1, len(order) * (part + 1) // (count + 1))] for part in range(count)] + [np.inf]
    for number in range(count):
        parts = np.full(len(times), LEFT_OUT, np.int8)
        known = there & (times < ends[number])
        parts[known] = TRAIN
        if not known.any():
            raise BadInput(messages.FOLDS_TOO_MANY, folds=count, found=len(np.unique(order)) - 1)
        newest = np.sort(times[known])[int(known.sum() * (1 - 1 / VALIDATION))]
        parts[known & (times >= newest)] = VAL
        parts[there & (times >= ends[number]) & (times < ends[number + 1])] = TEST
        yield _with_both(parts)


def _with_both(parts: np.ndarray) -> np.ndarray:
    """Where so few rows are left that train or val lacks any, all of them train, and none chooses."""
    if not (parts == TRAIN).any():
        parts[parts == VAL] = TRAIN
    return parts


def _mixed(hashes: np.ndarray, salt: int) -> np.ndarray:
    """Other uint64 of the same rows: equal for equal ones, in another order (the finaliser of splitmix64, Steele et al. 2014)."""
    if salt == 0:
        return hashes
    with np.errstate(over="ignore"):
        x = hashes + np.uint64((salt * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))
