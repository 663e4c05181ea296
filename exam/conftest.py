"""Each item's clock."""

from __future__ import annotations

import time

import pytest

from exam import harness


@pytest.fixture(autouse=True)
def _timed() -> None:
    harness._began = time.monotonic()
