"""R18: killed in the middle of a write to the log of metrics, then resumed: every line can be read, no step is missing or there twice."""

from __future__ import annotations

import json
import random
import shutil
import signal
from pathlib import Path

import pytest

from exam import jobs
from exam.harness import exam_only, go_on, logged, run, settle

STEPS = 18


@exam_only
@pytest.mark.slow
def test_torn_lines(tmp_path: Path) -> None:
    draw, failures, torn = random.Random(18), [], 0
    how = {"steps": STEPS, "validate": {"every": 1}}  # each step is then logged and written at once
    whole = tmp_path / "whole"
    whole.mkdir()
    assert run("train", jobs.write(whole, "mlp", **how), "--out", "run", cwd=whole).code == 0
    reference = logged(whole / "run")
    for trial in range(100):
        folder = tmp_path / str(trial)
        folder.mkdir()
        recipe = jobs.write(folder, "mlp", **how)
        hook = ("torn_log", {"write": draw.randrange(1, STEPS + 1), "share": draw.random()})
        first = run("train", recipe, "--out", "run", cwd=folder, hook=hook)
        path = folder / "run" / "metrics.jsonl"
        torn += not path.read_bytes().endswith(b"\n")
        last = go_on(recipe, folder)
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        steps = [line["step"] for line in lines if "test_loss" not in line]
        if first.code != -signal.SIGKILL or last.code != 0:
            failures.append(f"{folder}: exit codes {first.code}, {last.code}: {last.last}")
        elif steps != list(range(1, STEPS + 1)) or logged(folder / "run") != reference:
            failures.append(f"{folder}: steps {steps}")
        else:
            shutil.rmtree(folder)
    settle("R18", 100, failures, lines_torn=torn)
