"""R17: the clock jumps an hour back, a year ahead, into summer time, and times of files are shuffled: nothing depends on them."""

from __future__ import annotations

import os
import random
import signal
from itertools import pairwise
from pathlib import Path

import pytest

from danlu.run import checkpoint, log
from exam import jobs
from exam.harness import compare, exam_only, go_on, outcome, run, settle

JUMPS = {"an hour back": -3600.0, "a year ahead": 365.25 * 86400, "summer time": 3600.0, "twenty years back": -20 * 365.25 * 86400}


@exam_only
@pytest.mark.slow
def test_jumps(tmp_path: Path) -> None:
    failures, draw, trials = [], random.Random(17), 0
    for every in (4, "1s"):  # saved by steps, and by time
        whole = tmp_path / f"whole-{every}"
        whole.mkdir()
        how = {"steps": 24, "every": every}
        assert run("train", jobs.write(whole, "mlp", **how), "--out", "run", cwd=whole).code == 0
        reference = outcome(whole / "run")
        for title, seconds in JUMPS.items():
            trials += 1
            folder = tmp_path / f"{title}-{every}".replace(" ", "-")
            folder.mkdir()
            recipe = jobs.write(folder, "mlp", **how)
            jump = ("clock", {"step": 10, "seconds": seconds, "kill": 14})
            first = run("train", recipe, "--out", "run", cwd=folder, hook=jump)
            checkpoints = folder / "run" / "checkpoints"
            newest = checkpoint.steps(checkpoints)[-1:]
            for path in [*checkpoints.rglob("*")]:
                moment = draw.randrange(10**9, 2 * 10**9)
                os.utime(path, (moment, moment))
            last = go_on(recipe, folder)
            if first.code != -signal.SIGKILL or last.code != 0:
                failures.append(f"{folder}: exit codes {first.code}, {last.code}: {last.last}")
                continue
            continued = [event["step"] for event in log.read(folder / "run" / "events.jsonl") if event["event"] == "continue"]
            lines = [line for line in log.read(folder / "run" / "metrics.jsonl") if "seconds" in line]
            if newest and continued != newest:
                failures.append(f"{folder}: went on from {continued} instead of {newest}")
            if any(b["seconds"] < a["seconds"] for a, b in pairwise(lines)) or any(not 0 < line["rows_per_second"] < 1e7 for line in lines):
                failures.append(f"{folder}: seconds {[line['seconds'] for line in lines]}")
            if lines[-1]["seconds"] > 60:
                failures.append(f"{folder}: it says that it took {lines[-1]['seconds']} s")
            if other := compare(outcome(folder / "run"), reference):
                failures.append(f"{folder}: another {other}")
    settle("R17", trials, failures, jumps=list(JUMPS))
