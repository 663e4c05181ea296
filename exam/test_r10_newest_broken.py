"""R10: the newest checkpoint lacks a file or has an empty one, in every way there is: the one before is used, with a reason in one line."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from danlu.run import checkpoint
from exam import jobs
from exam.harness import compare, outcome, run, settle


@pytest.mark.slow
def test_every_file_missing_or_empty(tmp_path: Path) -> None:
    begun, whole = tmp_path / "begun", tmp_path / "whole"
    begun.mkdir()
    recipe = jobs.write(begun, "cnn", steps=12)
    assert run("train", recipe, "--out", "run", cwd=begun, hook=("at_step", {"step": 10})).code == -signal.SIGKILL
    shutil.copytree(begun, whole)
    assert run("resume", "run", cwd=whole).code == 0
    reference, failures = outcome(whole / "run"), []
    newest = checkpoint.steps(begun / "run" / "checkpoints")[-1]
    names = sorted(path.name for path in (begun / "run" / "checkpoints" / f"step-{newest}").iterdir())
    for name in names:
        for way in ("missing", "empty"):
            folder = tmp_path / f"{name}-{way}"
            shutil.copytree(begun, folder)
            path = folder / "run" / "checkpoints" / f"step-{newest}" / name
            path.unlink()
            if way == "empty":
                path.touch()
            ended = run("resume", "run", cwd=folder)
            said = [line for line in ended.text.splitlines() if name in line and f"step-{newest}" in line and "using step-" in line]
            if ended.code != 0 or len(said) != 1:
                failures.append(f"{folder}: exit code {ended.code}, reasons: {said or ended.text[-300:]}")
            elif other := compare(outcome(folder / "run"), reference):
                failures.append(f"{folder}: another {other}")
            else:
                shutil.rmtree(folder)
    settle("R10", 2 * len(names), failures, files=names)
