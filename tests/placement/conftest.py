"""Processes that all tests of divided placements share: starting them takes longer than what they do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from danlu.testing.ranks import Ranks


@pytest.fixture(scope="package")
def started() -> Iterator[Callable[[int], Ranks]]:
    pools: dict[int, Ranks] = {}

    def pool(world: int) -> Ranks:
        """The processes of the tests before, or new ones where a test has ended those."""
        if world not in pools or pools[world].ended:
            pools[world] = Ranks(world)
        return pools[world]

    yield pool
    for ranks in pools.values():
        ranks.kill()


@pytest.fixture
def ranks(started: Callable[[int], Ranks]) -> Ranks:
    return started(2)


@pytest.fixture
def four(started: Callable[[int], Ranks]) -> Ranks:
    return started(4)
