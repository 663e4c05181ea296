"""Each item's clock, and R34's look at every command that failed in any of them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import torch

from exam import files, harness


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """As the processes of the harness have: the last bit of a convolution depends on it."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _timed() -> None:
    harness._began = time.monotonic()


@pytest.fixture(autouse=True, scope="session")
def _clear() -> Iterator[None]:
    yield
    if failed := harness.endings:
        wrong = [why for ended in failed if (why := files.unclear(ended, codes=tuple(files.CODES)))]
        harness.settle("R34", len(failed), wrong, failures_of_other_items_looked_at=len(failed))
