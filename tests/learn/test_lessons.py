"""Every lesson there is: its lint and its exercises; and, where something it follows from has changed, that it still finds what it says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from danlu.learn import lesson, notebook, shelf, verify

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


@pytest.mark.slow
def test_the_first_notebook_runs_in_a_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As a learner has it, unanswered exercises and all; in Chinese."""
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    if not (Path(os.environ.get("DANLU_DATA", "")) / "mnist_test10k").is_dir():
        pytest.skip("no data here: mnist_test10k")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "kept"))
    monkeypatch.setenv("DANLU_LANG", "zh")
    folder = notebook.copy(shelf.find("01"), "zh", tmp_path)
    made = nbformat.read(folder / "lesson.ipynb", as_version=4)
    nbclient.NotebookClient(made, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    said = "".join(output.get("text", "") for cell in made.cells if cell.cell_type == "code" for output in cell.outputs)
    assert "01.1：还不对。函数还没有写" in said
    assert "library.weight_gap" in said
