"""R06: stopped at a random step and resumed, with 0 and 2 workers, a run sees the samples of an uninterrupted one, each once an epoch."""

from __future__ import annotations

import json
import random
import shutil
import signal
from pathlib import Path

import pytest

from exam import jobs
from exam.harness import go_on, run, settle, size

STEPS = 18  # three epochs


def seen(folder: Path) -> dict[int, list[int]]:
    """The ids of each step. Raises AssertionError when a step that was taken again saw others."""
    found: dict[int, list[int]] = {}
    for line in (folder / "ids").read_text(encoding="utf-8").splitlines():
        step, ids = json.loads(line)
        assert found.setdefault(step, ids) == ids, f"step {step} was taken again with other samples"
    return found


@pytest.mark.slow
def test_the_samples(tmp_path: Path) -> None:
    draw, failures, again = random.Random(6), [], 0
    whole = tmp_path / "whole"
    whole.mkdir()
    assert run("train", jobs.write(whole, "mlp", steps=STEPS, techniques=(jobs.IDS,)), "--out", "run", cwd=whole).code == 0
    reference = seen(whole)
    for epoch in range(3):
        ids = [number for step in range(6 * epoch, 6 * epoch + 6) for number in reference[step]]
        if sorted(ids) != list(range(jobs.ROWS)) or ids == sorted(ids):
            failures.append(f"epoch {epoch} is not a shuffle of all samples")
    trials = size(8, 50)
    for trial in range(trials):
        step, number = draw.randrange(1, STEPS), draw.choice([signal.SIGKILL, signal.SIGTERM])
        folder = tmp_path / f"{trial}-{step}-{number.name}"
        folder.mkdir()
        recipe = jobs.write(folder, "mlp", steps=STEPS, workers=2 * (trial % 2), techniques=(jobs.IDS,))
        first = run("train", recipe, "--out", "run", cwd=folder, hook=("at_step", {"step": step, "number": number}))
        last = go_on(recipe, folder)
        if first.code not in (75, -signal.SIGKILL) or last.code != 0:
            failures.append(f"{folder}: exit codes {first.code}, {last.code}: {last.last}")
        elif seen(folder) != reference:
            failures.append(f"{folder}: other samples")
        else:
            again += len((folder / "ids").read_text().splitlines()) - STEPS
            shutil.rmtree(folder)
    settle("R06", trials, failures, steps_taken_again=again)
