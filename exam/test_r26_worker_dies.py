"""R26: a data worker is killed at random times: within 10 s a sentence names it and the run is saved up to its last checkpoint; no hang."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from danlu.errors import BAD_INPUT
from exam import jobs
from exam.harness import compare, go_on, outcome, run, settle, size, start


def children(pid: int) -> list[int]:
    """The processes that a process has started, in their order."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are read from /proc")
def test_kill_a_worker(tmp_path: Path) -> None:
    draw, trials, failures, slowest, late = random.Random(0), size(3, 20), [], 0.0, 0
    whole = tmp_path / "whole"
    whole.mkdir()
    recipe = jobs.write(whole, "mlp", steps=400, every=50, workers=2)
    assert run("train", recipe, "--out", "run", "--quiet", cwd=whole).code == 0
    reference = outcome(whole / "run")
    for trial in range(trials):
        folder = tmp_path / str(trial)
        folder.mkdir()
        recipe = jobs.write(folder, "mlp", steps=400, every=50, workers=2)
        command = start("train", recipe, "--out", "run", "--quiet", cwd=folder)
        until = time.monotonic() + 60
        while len(children(command.pid)) < 2 and not command.over and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(draw.uniform(0.0, 0.6))
        workers = children(command.pid)
        if command.over or not workers:
            late += 1
            continue

        os.kill(draw.choice(workers), signal.SIGKILL)
        killed = time.monotonic()
        ended = command.wait(patience=60)
        took = time.monotonic() - killed
        if ended.code == 0:  # it was the last pass, and nothing was asked of the worker any more
            late += 1
        else:
            slowest = max(slowest, took)
            if ended.code != BAD_INPUT or "worker" not in ended.last or took > 10:
                failures.append(f"trial {trial}: exit code {ended.code} after {took:.1f} s: {ended.last}")
                continue
        if (code := go_on(recipe, folder).code) != 0:
            failures.append(f"trial {trial}: going on ended with {code}")
        elif other := compare(outcome(folder / "run"), reference):
            failures.append(f"trial {trial}: gone on with, another {other}")
    if late > trials // 2:
        failures.append(f"{late} of {trials} workers were killed too late to matter")
    settle("R26", trials, failures, slowest_seconds=slowest, not_noticed=late)
