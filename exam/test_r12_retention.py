"""R12: a save that prunes is killed at each rename and deletion, beside the training too: `latest` always names a whole checkpoint.

Two of the best, milestones and the newest are kept, so that a save makes one and deletes one.
"""

from __future__ import annotations

import itertools
import json
import shutil
import signal
from pathlib import Path

import pytest

from danlu.run import checkpoint
from exam import jobs
from exam.harness import compare, exam_only, go_on, need, outcome, run, settle
from exam.hooks import SAVED
from exam.trace import traced

CALLS = ("rename", "unlink", "unlinkat", "rmdir", "mkdir")


@exam_only
@pytest.mark.slow
@pytest.mark.parametrize("background", [False, True], ids=["foreground", "background"])
def test_pruning(tmp_path: Path, background: bool) -> None:
    need("strace")
    begun, whole = tmp_path / "begun", tmp_path / "whole"
    begun.mkdir()
    policy = {"every": 2, "keep": 1, "best": 2, "milestones": 5, "background": background}
    recipe = jobs.write(begun, "mlp", steps=16, validate={"every": 4}, optimizer={"adamw": {"lr": 0.0003}})  # step 12 is a new best
    given = json.loads(recipe.read_text())
    recipe.write_text(json.dumps({**given, "techniques": [{"checkpoint": policy}, *given["techniques"][1:]]}))
    first = run("train", recipe, "--out", "run", cwd=begun, hook=("at_step", {"step": 9}))
    assert first.code == -signal.SIGKILL, first.text
    shutil.copytree(begun, whole)
    assert run("resume", "run", cwd=whole).code == 0
    reference, failures, counts = outcome(whole / "run"), [], {}
    kept = checkpoint.steps(whole / "run" / "checkpoints")
    for call in CALLS:
        for k in itertools.count(1):
            folder = tmp_path / f"{call}-{k}"
            shutil.copytree(begun, folder)
            hook = ("around_save", {"step": 12})
            ended = traced("resume", "run", cwd=folder, hook=hook, inject=f"{call}:signal=KILL:when={k}")
            if ended.code == SAVED:
                break
            counts[call] = counts.get(call, 0) + 1
            checkpoints = folder / "run" / "checkpoints"
            failures += wrong(checkpoints, folder.name)
            last = go_on(folder / recipe.name, folder)
            if ended.code != -signal.SIGKILL or last.code != 0:
                failures.append(f"{folder}: exit codes {ended.code}, {last.code}: {last.last}")
            elif other := compare(outcome(folder / "run"), reference):
                failures.append(f"{folder}: another {other}")
            elif checkpoint.steps(checkpoints) != kept:
                failures.append(f"{folder}: kept {checkpoint.steps(checkpoints)} instead of {kept}")
            else:
                shutil.rmtree(folder)
    settle("R12", sum(counts.values()), failures, **{"background" if background else "foreground": counts})


def wrong(checkpoints: Path, title: str) -> list[str]:
    """What `latest` and `best` name must be whole, and so must be every folder that has the name of a step."""
    found = []
    for name in ("latest", "best"):
        if checkpoint.named(checkpoints, name) is None:
            found.append(f"{title}: {name} names nothing")
    for step in checkpoint.steps(checkpoints):
        try:
            checkpoint.verify(checkpoints / f"step-{step}")
        except checkpoint.Broken as reason:
            found.append(f"{title}: {reason}")
    return found
