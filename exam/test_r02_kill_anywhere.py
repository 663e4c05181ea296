"""R02: kill -9 at a random time of training and saving; `danlu resume` then ends with the bits of an uninterrupted run.

A third of the trials is killed twice; half has two data workers, and half saves in the background.
"""

from __future__ import annotations

import itertools
import random
import shutil
import time
from pathlib import Path

import pytest

from exam import jobs
from exam.harness import Ended, Started, compare, go_on, outcome, rubbish, run, settle, size, start

CASES = [(name, workers, background) for workers, background in ((0, False), (2, True), (0, True), (2, False)) for name in jobs.NAMES]


def killed(started: Started, after: float) -> Ended:
    time.sleep(after)
    started.kill()
    return started.wait()


@pytest.mark.slow
def test_kills(tmp_path: Path) -> None:
    draw, failures, references, kills, trials = random.Random(2), [], {}, 0, 0
    counts = {"before_the_first_save": 0, "inside_a_save": 0, "killed_twice": 0}
    for name, workers, background in itertools.cycle(CASES):
        if kills >= size(20, 200):
            break
        trials += 1
        folder = tmp_path / f"{trials}-{name}-{workers}-{background}"
        folder.mkdir()
        recipe = jobs.write(folder, name, steps=size(24, 60), workers=workers, background=background)
        begin = ("train", recipe, "--out", "run")
        if name not in references:  # the first of the cases: no workers, saves in the foreground; the others must end with the same
            ended = run(*begin, cwd=folder)
            assert ended.code == 0, ended.text
            references[name] = ended.seconds, outcome(folder / "run")
            shutil.rmtree(folder / "run")
        seconds, reference = references[name]
        first = killed(start(*begin, cwd=folder), draw.uniform(0, 1.5 * seconds if workers else seconds))
        if first.code == 0:  # it was faster than the reference
            continue
        kills += 1
        counts["before_the_first_save"] += not (folder / "run" / "checkpoints" / "latest").exists()
        counts["inside_a_save"] += bool(rubbish(folder))
        if draw.random() < 1 / 3 and (folder / "run" / "recipe.json").exists():
            counts["killed_twice"] += killed(start("resume", "run", cwd=folder), draw.uniform(0, seconds)).code != 0
        last = go_on(recipe, folder)
        if last.code != 0:
            failures.append(f"{folder}: exit code {last.code}: {last.last}")
        elif other := compare(outcome(folder / "run"), reference):
            failures.append(f"{folder}: another {other}")
        else:
            shutil.rmtree(folder)
    settle("R02", kills, failures, **counts)
