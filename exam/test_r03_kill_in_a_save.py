"""R03: a save is killed at its k-th openat, write, fsync, rename, unlink, for every k: a whole checkpoint is there, and the run goes on.

The kill is strace's, at the entry of the call; the save is of a new best and prunes an old one; in one run it is the last, so that nothing
later hides what was lost. What is there is the checkpoint that was being saved or the one before it.
"""

from __future__ import annotations

import itertools
import shutil
import signal
from pathlib import Path

import pytest

from danlu.run import checkpoint, log
from exam import jobs
from exam.harness import exam_only, go_on, need, outcome, run, settle
from exam.hooks import SAVED
from exam.trace import CALLS, traced


def before(folder: Path, steps: int) -> Path:
    """A run that was killed in step 10: steps 4 and 8 are saved."""
    folder.mkdir()
    slowly = {"adamw": {"lr": 0.0003}}  # the loss falls with every epoch: step 12 is a new best
    recipe = jobs.write(folder, "mlp", steps=steps, optimizer=slowly)
    ended = run("train", recipe, "--out", "run", cwd=folder, hook=("at_step", {"step": 10}))
    assert ended.code == -signal.SIGKILL, ended.text
    return folder


@exam_only
@pytest.mark.slow
@pytest.mark.parametrize("steps", [12, 16])
def test_every_call_of_a_save(tmp_path: Path, steps: int) -> None:
    need("strace")
    begun, whole = before(tmp_path / "begun", steps), tmp_path / "whole"
    shutil.copytree(begun, whole)
    assert run("resume", "run", cwd=whole).code == 0
    reference, failures, counts = outcome(whole / "run"), [], {}
    assert any(event["step"] == 12 and event.get("best") for event in log.read(whole / "run" / "events.jsonl")), "step 12 is no new best"
    for call in CALLS:
        for k in itertools.count(1):
            folder = tmp_path / f"{call}-{k}"
            shutil.copytree(begun, folder)
            hook = ("around_save", {"step": 12})
            ended = traced("resume", "run", cwd=folder, hook=hook, inject=f"{call}:signal=KILL:when={k}")
            if ended.code == SAVED:
                break
            counts[call] = counts.get(call, 0) + 1
            newest, broken = checkpoint.newest_valid(folder / "run" / "checkpoints")
            if ended.code != -signal.SIGKILL:
                failures.append(f"{folder}: exit code {ended.code}: {ended.last}")
            elif newest is None or newest.name not in ("step-8", "step-12") or broken:
                failures.append(f"{folder}: {newest}, {broken}")
            elif (last := go_on(folder / "mlp.yaml", folder)).code != 0 or outcome(folder / "run") != reference:
                failures.append(f"{folder}: went on to something else: {last.last}")
            else:
                shutil.rmtree(folder)
    settle("R03", sum(counts.values()), failures, **{f"killed_at_in_a_run_of_{steps}": counts})
