"""R07: stopped at every micro-batch of a step of four, by SIGKILL and by SIGTERM, before and after a save: resumed to the same bits."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from exam import jobs
from exam.harness import compare, exam_only, go_on, outcome, run, settle


@exam_only
@pytest.mark.slow
def test_every_micro_batch(tmp_path: Path) -> None:
    failures, trials = [], 0
    for name in jobs.NAMES:
        ghost = ({"ghost_norm": {"size": 4}},) if name == "cnn" else ()  # a plain BatchNorm is refused here
        how: dict[str, Any] = {"steps": 12, "micro_batch_size": 4, "techniques": ghost}
        whole = tmp_path / name
        whole.mkdir()
        assert run("train", jobs.write(whole, name, **how), "--out", "run", cwd=whole).code == 0
        reference = outcome(whole / "run")
        for step in (4, 5, 6):  # counted from 0: the step after the save of step 4, the one after, and the first after a validation
            for micro in range(1, 5):
                for number in (signal.SIGKILL, signal.SIGTERM):
                    trials += 1
                    folder = tmp_path / f"{name}-{step}-{micro}-{number.name}"
                    folder.mkdir()
                    recipe = jobs.write(folder, name, **how)
                    hook = ("at_backward", {"count": 4 * step + micro, "number": number})
                    first = run("train", recipe, "--out", "run", cwd=folder, hook=hook)
                    last = go_on(recipe, folder)
                    if first.code not in (75, -signal.SIGKILL) or last.code != 0:
                        failures.append(f"{folder}: exit codes {first.code}, {last.code}: {last.last}")
                    elif other := compare(outcome(folder / "run"), reference):
                        failures.append(f"{folder}: another {other}")
                    else:
                        shutil.rmtree(folder)
    settle("R07", trials, failures)
