"""R09: a finished run that is resumed twice takes no step, and not a byte of what it made changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from exam import jobs
from exam.harness import run, settle


def made(folder: Path) -> dict[str, bytes]:
    """Every file but the log for people, which says that there was nothing to do."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "train.log"}


@pytest.mark.slow
def test_twice_more(tmp_path: Path) -> None:
    failures, taken = [], 0
    for name in jobs.NAMES:
        folder = tmp_path / name
        folder.mkdir()
        recipe = jobs.write(folder, name, steps=12, techniques=(jobs.IDS,))
        assert run("train", recipe, "--out", "run", cwd=folder).code == 0
        before, steps = made(folder / "run"), (folder / "ids").read_bytes()
        for turn in (1, 2):
            ended = run("resume", "run", cwd=folder)
            taken += (folder / "ids").read_bytes().count(b"\n") - steps.count(b"\n")
            if ended.code != 0 or "finished at step 12" not in ended.text:
                failures.append(f"{name}, time {turn}: exit code {ended.code}: {ended.last}")
            elif (folder / "ids").read_bytes() != steps or made(folder / "run") != before:
                failures.append(f"{name}, time {turn}: something changed")
    settle("R09", 2 * len(jobs.NAMES), failures, steps_taken=taken)
