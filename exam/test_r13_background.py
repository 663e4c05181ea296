"""R13: a save beside the training is of the moment it was asked for; its error is raised within a step; the end waits for it."""

from __future__ import annotations

import errno
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from danlu.core import Run
from danlu.describe.recipe_file import load_recipe
from danlu.errors import NoSpace
from danlu.run import checkpoint, durable
from danlu.run.save import Saver
from exam import jobs
from exam.harness import compare, digest, exam_only, go_on, outcome, settle, start


@exam_only
@pytest.mark.slow
def test_a_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that the state holds is overwritten in place right after the call, while the writer is held back."""
    gate, failures, written = threading.Event(), [], durable.write
    monkeypatch.setattr(durable, "write", lambda *args: (gate.wait(), written(*args))[1])
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    trials = 0
    for name in jobs.NAMES:
        path = jobs.write(tmp_path, name, background=True)
        with Run(load_recipe(str(path))) as live:
            saver = Saver(live, tmp_path / name, lambda step, best: None)
            for report, _ in zip(live, range(34)):
                trials += 1
                gate.clear()
                expected = digest(live.state())
                saver.save(report.step, False, {})
                before = [(value, value.clone()) for value in tensors(live.state())]
                for value, _copy in before:
                    value.zero_()
                gate.set()
                saver.wait()
                if digest(checkpoint.read(tmp_path / name / f"step-{report.step}")) != expected:
                    failures.append(f"{name}, step {report.step}: another state was saved")
                for value, copy in before:
                    value.copy_(copy)
            saver.close()
    settle("R13", trials, failures, snapshots=trials)


@exam_only
@pytest.mark.slow
def test_an_error_comes_out_within_a_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failures, written, late = [], durable.write, []

    def full(*args: Any) -> Any:
        if threading.current_thread() is not threading.main_thread():
            raise OSError(errno.ENOSPC, "No space left on device")
        return written(*args)

    monkeypatch.setattr(durable, "write", full)
    for asked in range(1, 21):
        with Run(load_recipe(str(jobs.write(tmp_path, "mlp", background=True)))) as live:
            saver = Saver(live, tmp_path / str(asked), lambda step, best: None)
            try:
                for report in live:
                    saver.check()  # what a session does after each step
                    if report.step == asked:
                        saver.save(report.step, False, {})
                        while not saver._going[0].done():  # type: ignore[index]
                            time.sleep(0.001)
                failures.append(f"asked for at step {asked}: nothing was raised")
            except NoSpace:
                late.append(live.step - asked)
    failures += [f"raised {steps} steps later" for steps in late if steps > 1]
    settle("R13", 20, failures, steps_until_an_error_is_raised=max(late))


@exam_only
@pytest.mark.slow
def test_the_end_waits(tmp_path: Path) -> None:
    """The last save takes seconds; the end of the training and SIGTERM come meanwhile."""
    failures, reference = [], None
    for stopped in (None, None, *range(2, 10)):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        recipe = jobs.write(folder, "mlp", steps=12, every=12 if stopped is None else 2, background=True)
        slow = None if reference is None else ("slow_save", {"seconds": 0.2})
        command = start("train", recipe, "--out", "run", cwd=folder, hook=slow)
        if stopped is not None:
            while not list((folder / "run").glob("checkpoints/step-2.tmp")) and not command.over:
                time.sleep(0.005)
            time.sleep(0.1 * stopped)
            command.send(signal.SIGTERM)
        ended = command.wait()
        broken = checkpoint.newest_valid(folder / "run" / "checkpoints")[1]
        if ended.code not in ((0,) if stopped is None else (0, 75)) or broken:
            failures.append(f"exit code {ended.code}, {broken}: {ended.last}")
        elif go_on(recipe, folder).code != 0:
            failures.append("does not go on")
        elif reference is None:
            reference = outcome(folder / "run")
        elif stopped is None and (other := compare(outcome(folder / "run"), reference)):
            failures.append(f"another {other}")
    settle("R13", 10, failures, ends_that_waited=10 - len(failures))


def tensors(tree: Any) -> list[torch.Tensor]:
    """Every tensor in a state, once."""
    if isinstance(tree, torch.Tensor):
        return [tree]
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list | tuple) else ()
    found = [value for part in parts for value in tensors(part)]
    return list({value.data_ptr(): value for value in found}.values())
