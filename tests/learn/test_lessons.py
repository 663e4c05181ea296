"""Every lesson there is: its lint and its exercises; and, where something it follows from has changed, that it still finds what it says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from danlu.learn import lesson, shelf, verify

FOLDERS = [pytest.param(folder, id=folder.name) for folder in shelf.folders().values()]


def test_there_are_lessons_and_the_paths_lead_to_them():
    there = shelf.folders()
    assert there
    planned = {id_ for path in shelf.paths() for id_ in path.planned}
    assert set(there) <= planned
    assert {"beginner", "intermediate", "advanced"} <= {path.id for path in shelf.paths()}


@pytest.mark.parametrize("folder", FOLDERS)
def test_as_it_is_written(folder: Path):
    assert [str(problem) for problem in verify.problems(lesson.read(folder))] == []


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS)
def test_it_finds_what_it_says(folder: Path):
    found = lesson.read(folder)
    if not verify.stale(found):
        pytest.skip("nothing that its results follow from has changed")
    missing = [name for name in found.data if not (Path(os.environ.get("DANLU_DATA", "")) / name).is_dir()]
    if missing:
        pytest.skip(f"no data here: {', '.join(missing)}")
    assert [str(problem) for problem in verify.rerun(found)] == []
