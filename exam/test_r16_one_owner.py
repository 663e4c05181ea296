"""R16: of 20 starts at once in one folder one trains, the others name it; a latecomer within 2 s; a lock that a kill left bars nobody."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from danlu.errors import BUSY
from exam import jobs
from exam.harness import Started, compare, exam_only, go_on, outcome, run, settle, start
from exam.trace import stopped

STARTS = 20


def ends(commands: list[Started]) -> dict[int, float]:
    """When each of them was over, but for the one that goes on: seconds from now, by pid."""
    began, found = time.monotonic(), {}
    while len(found) < len(commands) - 1 and time.monotonic() - began < 60:
        for command in commands:
            if command.over:
                found.setdefault(command.pid, time.monotonic() - began)
        time.sleep(0.005)
    return found


@exam_only
@pytest.mark.slow
def test_starts_at_once(tmp_path: Path) -> None:
    failures, longest = [], 0.0
    whole = tmp_path / "whole"
    whole.mkdir()
    assert run("train", jobs.write(whole, "mlp", steps=12), "--out", "run", cwd=whole).code == 0
    reference = outcome(whole / "run")
    for turn in ("new", "going", "going again"):
        folder = tmp_path / turn.replace(" ", "-")
        folder.mkdir()
        recipe = jobs.write(folder, "mlp", steps=12)
        begin = ("train", recipe, "--out", "run")
        owners, stays = [], ("around_save", {"step": 8})  # who trains stops itself there, and stays
        if turn != "new":  # a run is there and somebody is at it
            owners = [start(*begin, cwd=folder, hook=stays)]
            while not (folder / "run" / "checkpoints" / "step-4").exists():
                time.sleep(0.01)
        began = time.monotonic()
        commands = [start(*begin, cwd=folder, hook=stays) for _ in range(STARTS)]
        spent = time.monotonic() - began
        found = ends([*owners, *commands])
        longest = max(longest, spent + max(found.values()))
        winners = [command for command in [*owners, *commands] if command.pid not in found]
        if len(winners) != 1 or (owners and winners != owners):
            failures.append(f"{turn}: {len(winners)} go on")
            continue
        others = [command.wait() for command in commands if command is not winners[0]]
        text = (folder / "log").read_text()
        if any(other.code != BUSY for other in others):
            failures.append(f"{turn}: exit codes {sorted({other.code for other in others})}")
        if text.count(f"in use by process {winners[0].pid} on ") != len(others):
            failures.append(
                f"{turn}: the owner is named {text.count('in use by process')} times, {winners[0].pid} not always:\n{text[-500:]}"
            )
        winners[0].send(signal.SIGKILL if owners else signal.SIGCONT)
        winners[0].wait()
        last = go_on(recipe, folder)
        if last.code != 0 or compare(outcome(folder / "run"), reference):
            failures.append(f"{turn}: afterwards exit code {last.code}")
    settle("R16", 3, failures, starts=3 * STARTS, seconds_until_the_last_of_20_was_over=longest)


@exam_only
@pytest.mark.slow
def test_a_latecomer_ends_at_once(tmp_path: Path) -> None:
    """One at a time, so that it is not the number of cores that is measured."""
    recipe, failures, waits = jobs.write(tmp_path, "mlp", steps=12), [], []
    owner = start("train", recipe, "--out", "run", cwd=tmp_path, hook=("around_save", {"step": 8}))
    stopped(owner)
    for words in (("train", recipe, "--out", "run"), ("resume", "run")) * 5:
        ended = run(*words, cwd=tmp_path)
        waits.append(ended.seconds)
        if ended.code != BUSY or f"in use by process {owner.pid} on " not in ended.last or ended.seconds > 2:
            failures.append(f"exit code {ended.code} after {ended.seconds:.1f} s: {ended.last}")
    owner.kill()
    owner.wait()
    settle("R16", len(waits), failures, latecomer_s_at_most=max(waits))


@exam_only
@pytest.mark.slow
def test_a_lock_that_was_left(tmp_path: Path) -> None:
    """Killed in the foreground and with data workers alive; and the pid in the file is now that of another living process."""
    failures, trials = [], 0
    for workers in (0, 2):
        for pid in (None, os.getpid(), 1):
            trials += 1
            folder = tmp_path / f"{workers}-{pid}"
            folder.mkdir()
            recipe = jobs.write(folder, "mlp", steps=12, workers=workers)
            first = run("train", recipe, "--out", "run", cwd=folder, hook=("at_step", {"step": 6}))
            lock = folder / "run" / "lock"
            left = json.loads(lock.read_text())
            if pid is not None:
                lock.write_text(json.dumps({**left, "pid": pid}))
            last = go_on(recipe, folder)
            if first.code != -signal.SIGKILL or last.code != 0:
                failures.append(f"{folder}: exit codes {first.code}, {last.code}: {last.last}")
            else:
                shutil.rmtree(folder)
    settle("R16", trials, failures, locks_left=trials)
