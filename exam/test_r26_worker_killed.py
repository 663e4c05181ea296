"""R26: a data worker killed at a random time ends the run within 10 s with a sentence that names it; resumed, the run is the same bits."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from exam import jobs
from exam.files import unclear
from exam.harness import Started, compare, go_on, outcome, run, settle, size, start

WORKERS = 2
STEPS = 400


def children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def workers_of(command: Started) -> list[int]:
    """Its data workers, once there are some; [] when it is over before."""
    while not command.over:
        if len(found := children(command.pid)) >= WORKERS:
            return found
        time.sleep(0.002)
    return []


@pytest.mark.slow
def test_a_worker_is_killed(tmp_path: Path) -> None:
    draw, failures, waits, trials, missed = random.Random(26), [], [], size(3, 20), 0
    whole = tmp_path / "whole"
    whole.mkdir()
    ended = run("train", jobs.write(whole, "mlp", steps=STEPS, workers=WORKERS, validate={"every": 100}), "--out", "run", cwd=whole)
    assert ended.code == 0
    reference = outcome(whole / "run")
    while len(waits) < trials and missed < 3 * trials:
        folder = tmp_path / str(len(waits) + missed)
        folder.mkdir()
        recipe = jobs.write(folder, "mlp", steps=STEPS, workers=WORKERS, validate={"every": 100})
        command = start("train", recipe, "--out", "run", cwd=folder)
        workers_of(command)
        time.sleep(draw.uniform(0, 0.7 * ended.seconds))
        if not (found := children(command.pid)):
            command.wait()
            missed += 1
            continue
        victim = draw.choice(found)
        os.kill(victim, signal.SIGKILL)
        killed = time.monotonic()
        last = command.wait()
        if last.code == 0:  # everything was fetched, or the worker was one of a pass that had ended
            missed += 1
            continue
        waits.append(time.monotonic() - killed)
        if wrong := unclear(last, "data worker", f"(process {victim})", "exit code -9"):
            failures.append(f"{folder}: {wrong}")
        elif waits[-1] > 10:
            failures.append(f"{folder}: over after {waits[-1]:.1f} s")
        elif (again := go_on(recipe, folder)).code != 0 or compare(outcome(folder / "run"), reference):
            failures.append(f"{folder}: resumed: exit code {again.code}: {again.last}")
        elif left := [pid for pid in found if alive(pid)]:
            failures.append(f"{folder}: workers {left} live on")
        else:
            shutil.rmtree(folder)
    settle("R26", len(waits), failures, longest_wait_s=max(waits, default=0.0), killed_after_their_last_batch=missed)
