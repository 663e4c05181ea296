"""Splits are a partition, keep the classes' proportions, and never move."""

from __future__ import annotations

import hashlib

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from danlu.data.splits import cut


@given(st.integers(0, 300), st.floats(0, 0.5), st.floats(0, 0.5), st.booleans())
def test_parts_are_a_partition(rows, a, b, classes):
    parts = cut(rows, a, b, classes=torch.arange(rows) % 7 if classes and rows else None)
    assert torch.equal(torch.cat(parts).sort().values, torch.arange(rows))
    assert len(parts) == 3
    if not classes:
        assert len(parts[1]) == round(a * rows)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=200))
def test_every_class_is_cut_alike(labels):
    y = torch.tensor(labels)
    _, val = cut(len(y), 0.25, classes=y)
    for label in y.unique():
        assert int((y[val] == label).sum()) == round(0.25 * int((y == label).sum()))


@pytest.mark.parametrize(
    "rows, shares, classes, expected",
    [
        (60000, (1 / 12,), False, "2583e5c7330f38ac"),
        (20640, (0.1, 0.15), False, "228db885c85a004f"),
        (1797, (0.15, 0.2), True, "bb97b0a1b4a3ec7a"),
    ],
)
def test_splits_never_move(rows, shares, classes, expected):
    parts = cut(rows, *shares, classes=torch.arange(rows) % 10 if classes else None)
    assert hashlib.sha256(b"|".join(part.numpy().astype("<i8").tobytes() for part in parts)).hexdigest()[:16] == expected
