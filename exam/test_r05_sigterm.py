"""R05: SIGTERM at a random time, a second one soon after, Ctrl-C twice: over within 5 s, a documented code, and resumed to the same bits.

A signal that comes before danlu listens or after it has finished ends the process as the system does (143 in a shell); then nothing is
lost.
"""

from __future__ import annotations

import itertools
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from danlu.cli.main import CODES
from danlu.run import checkpoint
from exam import jobs
from exam.harness import compare, exam_only, go_on, outcome, run, settle, start

TRIALS = [(signal.SIGTERM, 1)] * 30 + [(signal.SIGTERM, 2)] * 10 + [(signal.SIGINT, 2)] * 10


@exam_only
@pytest.mark.slow
def test_signals(tmp_path: Path) -> None:
    draw, failures, codes, waits, references = random.Random(5), [], {}, [], {}
    todo = list(TRIALS)
    for number in itertools.count():
        if not todo:
            break
        signal_, times = todo[0]
        name = jobs.NAMES[number % 3]
        folder = tmp_path / f"{number}-{name}"
        folder.mkdir()
        recipe = jobs.write(folder, name, background=number % 2 == 1)
        begin = ("train", recipe, "--out", "run")
        if name not in references:
            ended = run(*begin, cwd=folder)
            references[name] = ended.seconds, outcome(folder / "run")
            shutil.rmtree(folder / "run")
        seconds, reference = references[name]
        hook = ("slow_save", {"seconds": 0.02}) if times == 2 else None  # so that the second signal comes inside the save
        command = start(*begin, cwd=folder, hook=hook)
        time.sleep(draw.uniform(0, seconds))
        if command.over:
            continue
        todo.pop(0)
        asked = time.monotonic()
        for turn in range(times):
            time.sleep(draw.uniform(0, 0.1) if turn else 0.0)
            command.send(signal_)
        ended = command.wait()
        waits.append(time.monotonic() - asked)
        codes[ended.code] = codes.get(ended.code, 0) + 1
        listens = (folder / "run" / "recipe.json").exists() and not (folder / "run" / "curves.png").exists()
        broken = checkpoint.newest_valid(folder / "run" / "checkpoints")[1]
        if ended.code not in CODES and not (ended.code == -signal_ and not listens):
            failures.append(f"{folder}: exit code {ended.code}: {ended.last}")
        elif waits[-1] > 5 or broken:
            failures.append(f"{folder}: over after {waits[-1]:.1f} s; broken: {broken}")
        elif ended.code == 1 or "Traceback" in ended.text:
            failures.append(f"{folder}: {ended.text[-300:]}")
        elif (last := go_on(recipe, folder)).code != 0:
            failures.append(f"{folder}: went on with exit code {last.code}: {last.last}")
        elif other := compare(outcome(folder / "run"), reference):
            failures.append(f"{folder}: another {other}")
        else:
            shutil.rmtree(folder)
    settle("R05", len(TRIALS), failures, exit_codes={str(code): codes[code] for code in sorted(codes)}, longest_wait_s=max(waits))
