"""R25: memory that runs out at a random step halves the rows of a micro-batch, not the batch: same samples, same losses but for rounding.

An allocation hook raises torch's own error above k rows. Where not even one row fits, or rows look at each other, the run ends with advice.
"""

from __future__ import annotations

import itertools
import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from danlu.errors import NO_MEMORY
from danlu.run import checkpoint, log
from exam import jobs
from exam.files import unclear
from exam.harness import compare, outcome, run, settle, size

STEPS, BATCH = 18, 16
RELATIVE = 1e-6
GHOST = {"cnn": ({"ghost_norm": {"size": 2}},)}


def recipe(folder: Path, name: str, **fields: Any) -> Path:
    """Plain SGD: Adam divides the rounding of a sum by itself, so that losses are no measure of it; its case is in float64."""
    techniques = (*GHOST.get(name, ()), {jobs.IDS: {}})
    return jobs.write(folder, name, steps=STEPS, every=6, techniques=techniques, **{"optimizer": {"sgd": {"lr": 0.05}}, **fields})


def ids(folder: Path) -> dict[int, list[int]]:
    """The samples of each step, in their order, of its last evaluation."""
    return dict(map(json.loads, (folder / "ids").read_text().splitlines()))


def losses(folder: Path) -> list[float]:
    return [value for line in log.read(folder / "run" / "metrics.jsonl") for key, value in line.items() if key in ("loss", "val_loss")]


def apart(found: list[float], wanted: list[float]) -> float:
    """The largest relative difference; infinity for other numbers of them."""
    return max((abs(a - b) / abs(b) for a, b in zip(found, wanted)), default=1.0) if len(found) == len(wanted) else float("inf")


@pytest.mark.slow
def test_halves(tmp_path: Path) -> None:
    draw, failures, trials, worst, halved = random.Random(25), [], 0, 0.0, 0
    kinds: list[dict[str, Any]] = [{}, {"micro_batch_size": 8}, {"precision": "fp64", "optimizer": {"adamw": {"lr": 0.003}}}]
    for name in jobs.NAMES:
        for number, fields in enumerate(kinds if size(False, True) else kinds[:1]):
            whole = tmp_path / f"{name}-{number}"
            whole.mkdir()
            assert run("train", recipe(whole, name, **fields), "--out", "run", cwd=whole).code == 0
            for fits in draw.sample(range(2, 8), size(1, 4)):
                trials += 1
                folder, step = tmp_path / str(trials), draw.randrange(1, STEPS - 1)
                folder.mkdir()
                hook = ("out_of_memory", {"fits": fits, "step": step})
                ended = run("train", recipe(folder, name, **fields), "--out", "run", cwd=folder, hook=hook)
                what = f"{name}, {fields}, {fits} rows fit from step {step} on"
                if ended.code:
                    failures.append(f"{what}: exit code {ended.code}: {ended.text[-300:]}")
                    continue
                events = [event for event in log.read(folder / "run" / "events.jsonl") if event["event"] == "halved"]
                halved, off = halved + len(events), apart(losses(folder), losses(whole))
                worst = max(worst, off)
                rows = [event["rows"] for event in events]
                if not rows or rows[-1] > fits or any(2 * b not in (a, a + 1, a + 2) for a, b in itertools.pairwise(rows)):
                    failures.append(f"{what}: halved to {rows}")
                elif ids(folder) != ids(whole) or any(len(found) != BATCH for found in ids(folder).values()):
                    failures.append(f"{what}: other samples")
                elif off > RELATIVE or not off < float("inf"):
                    failures.append(f"{what}: losses are {off:.1e} apart")
                elif events[0]["step"] != step + 1 or "memory did not suffice" not in ended.text:
                    failures.append(f"{what}: {events[0]}: {ended.text[-300:]}")
    settle("R25", trials, failures, halvings=halved, largest_relative_difference=worst)


@pytest.mark.slow
def test_gives_up_with_advice(tmp_path: Path) -> None:
    """At one row, and where rows cannot be taken apart; what was saved is whole, and with memory the run goes on to the same bits."""
    failures, trials = [], 0
    advice = {"mlp": "use a smaller model", "gpt": "use a smaller model", "cnn": "ghost_norm"}
    for name in jobs.NAMES:
        plain = {"steps": STEPS, "every": 6}
        whole = tmp_path / f"whole-{name}"
        whole.mkdir()
        assert run("train", jobs.write(whole, name, **plain), "--out", "run", cwd=whole).code == 0
        for step in size((8,), (0, 6, 8)):
            trials += 1
            folder = tmp_path / str(trials)
            folder.mkdir()
            path, hook = jobs.write(folder, name, **plain), ("out_of_memory", {"fits": 0, "step": step})
            ended = run("train", path, "--out", "run", cwd=folder, hook=hook)
            if wrong := unclear(ended, advice[name], "Tried to allocate", codes=(NO_MEMORY,)):
                failures.append(f"{name} at step {step}: {wrong}")
                continue
            newest, broken = checkpoint.newest_valid(folder / "run" / "checkpoints")
            if broken or (newest is None) != (step < 6):
                failures.append(f"{name} at step {step}: the newest checkpoint is {newest}")
            elif newest is not None and (run("resume", "run", cwd=folder).code or compare(outcome(folder / "run"), outcome(whole / "run"))):
                failures.append(f"{name} at step {step}: resumed with memory, it is another run")
            else:
                shutil.rmtree(folder)
    settle("R25", trials, failures, gave_up=trials, exit_code=NO_MEMORY)
