"""Where the real data of these tests is, and a cache of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from danlu.data import find_files

SHARED = Path(os.environ.get("DANLU_DATA") or Path(__file__).resolve().parents[2].parent / "shared" / "data")


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_folders(monkeypatch, cache):
    torch.set_num_threads(1)
    monkeypatch.setattr(find_files, "cache_folder", lambda: cache)
    monkeypatch.setenv("DANLU_LANG", "en")
    if SHARED.is_dir():
        monkeypatch.setenv("DANLU_DATA", str(SHARED))


@pytest.fixture
def shared():
    """The folder of real data sets; the test is skipped where there is none."""
    if not SHARED.is_dir():
        pytest.skip(f"no real data: set DANLU_DATA, or put the data sets in {SHARED}")
    return SHARED
