"""Processes that all tests of divided placements share: starting them takes longer than what they do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from danlu.testing.ranks import Ranks


@pytest.fixture(scope="session")
def ranks() -> Iterator[Ranks]:
    with Ranks(2) as started:
        yield started


@pytest.fixture(scope="session")
def four() -> Iterator[Ranks]:
    with Ranks(4) as started:
        yield started
