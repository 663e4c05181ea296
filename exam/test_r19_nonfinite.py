"""R19: NaN or infinity in an input, the loss or one gradient: the step is skipped bit for bit and counted, or halts the run, or rolls back.

A halt has the exit code 5 and names the samples; so does every skipped step. Ranks that must agree are not there yet: there is one process.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from danlu.core import Run
from danlu.describe.recipe_file import load_recipe
from danlu.errors import DIVERGED, SAVED_RUN_AGAIN
from danlu.run import checkpoint, log
from exam import jobs
from exam.files import error, unclear
from exam.harness import digest, run, settle, size

STEPS, EVERY, BAD = 14, 4, 7
SPLITS: tuple[dict[str, Any], ...] = ({}, {"micro_batch_size": 4})


def cases() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Model, place, value, and how the batch is split. Tokens are no numbers, and a plain BatchNorm is not split."""
    whole = itertools.product(jobs.NAMES, ("input", "loss", "gradient"), ("nan", "inf"), SPLITS)
    found = [case for case in whole if (case[0], case[1]) != ("gpt", "input") and not (case[0] == "cnn" and case[3])]
    return iter(found if size(False, True) else found[::5])


def recipe(folder: Path, name: str, policy: str, where: str, value: str, split: dict[str, Any], at: tuple[int, ...] = (BAD,)) -> Path:
    """A job of which steps are spoiled, in the row that is the sixth of the step."""
    folder.mkdir(exist_ok=True)
    spoil = {jobs.SPOIL: {"where": where, "at": list(at), "row": 5, "value": value}}
    policies = {"nonfinite": {"policy": policy, "every": 2} if policy == "rollback" else {"policy": policy}}
    return jobs.write(folder, name, steps=STEPS, every=EVERY, techniques=(policies, spoil, {jobs.IDS: {}}), **split)


def named(trained: Run, step: int, where: str, split: dict[str, Any]) -> list[int]:
    """The samples that must be named: of the bad row, of its micro-batch, or of the step."""
    ids = list(trained.plan.ids(step))
    if where == "input":
        return [int(ids[5])]
    if where == "loss" and split:
        return [int(number) for number in ids[4:8]]
    return [int(number) for number in ids]


def parts(state: dict[str, Any]) -> dict[str, str]:
    """The digest of each part of a run's state, but for what tells the step: its number, its rate, and what `nonfinite` counts."""
    state = copy.deepcopy(state)
    for group in state["optimizer"]["groups"]:
        group.pop("lr")
    own = {name: fields for name, fields in state["techniques"].items() if not name.startswith("nonfinite")}
    rest = {key: value for key, value in state.items() if key not in ("step", "techniques")}
    return {key: digest(value) for key, value in {**rest, "techniques": own}.items()}


@pytest.mark.slow
def test_skip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The digest of the whole state before the step is that after it, and every other step changes it."""
    monkeypatch.chdir(tmp_path)
    failures, trials = [], 0
    for name, where, value, split in cases():
        trials += 1
        path = recipe(tmp_path / str(trials), name, "skip", where, value, split)
        what = f"{name}, {where} {value}, {split or 'whole'}"
        with Run(load_recipe(str(path))) as trained:
            expected, before = named(trained, BAD, where, split), parts(trained.state())
            for report in trained:
                now = parts(trained.state())
                changed = [key for key in now if now[key] != before[key]]
                bad = report.step == BAD + 1
                if bad and (changed or sorted(report.metrics.get("nonfinite_ids", ())) != sorted(expected)):
                    failures.append(f"{what}: changed {changed}, named {report.metrics.get('nonfinite_ids')} for {expected}")
                elif not bad and ("model" not in changed or "nonfinite_in" in report.metrics):
                    failures.append(f"{what}: step {report.step}: {changed}, {report.metrics}")
                before = now
    settle("R19", trials, failures, skipped_bit_for_bit=trials)


@pytest.mark.slow
def test_skipped_steps_are_counted(tmp_path: Path) -> None:
    failures, trials = [], 0
    for name, where, value, split in cases():
        trials += 1
        folder = tmp_path / str(trials)
        path = recipe(folder, name, "skip", where, value, split, at=(2, BAD, 11))
        ended = run("train", path, "--out", "run", cwd=folder)
        events = [event for event in log.read(folder / "run" / "events.jsonl") if event["event"] == "nonfinite"]
        lines = log.read(folder / "run" / "metrics.jsonl")
        counted = [event["step"] for event in events] == [3, BAD + 1, 12] and all(event["samples"] for event in events)
        if ended.code or not counted or "(1 such steps so far)" not in ended.text:
            failures.append(f"{name}, {where} {value}, {split}: exit code {ended.code}, {events}: {ended.text[-200:]}")
        elif not {3, BAD + 1, 12} <= {line["step"] for line in lines}:
            failures.append(f"{name}, {where} {value}, {split}: not every skipped step is in the log")
    settle("R19", trials, failures, runs_with_three_skipped_steps=trials)


@pytest.mark.slow
def test_halt(tmp_path: Path) -> None:
    """The exit code, the samples in sentence, JSON and events.jsonl; what was saved is whole, and gone on with it halts there again."""
    failures, trials = [], 0
    for name, where, value, split in cases():
        trials += 1
        folder = tmp_path / str(trials)
        path = recipe(folder, name, "halt", where, value, split)
        with Run(load_recipe(str(path))) as trained:
            expected = named(trained, BAD, where, split)
        first = run("train", path, "--out", "run", "--json", cwd=folder)
        again = run("resume", "run", "--json", cwd=folder)
        failed = [event for event in log.read(folder / "run" / "events.jsonl") if event["event"] == "failed"]
        newest, broken = checkpoint.newest_valid(folder / "run" / "checkpoints")
        what = f"{name}, {where} {value}, {split or 'whole'}"
        for ended in (first, again):
            said = [f"step {BAD + 1} ", str(expected[0]) if len(expected) == 1 else "samples"]
            if wrong := unclear(ended, *said, codes=(DIVERGED,)):
                failures.append(f"{what}: {wrong}")
            elif error(ended).get("code") != DIVERGED:
                failures.append(f"{what}: no JSON: {ended.text[-200:]}")
        if [sorted(event.get("samples", ())) for event in failed] != [sorted(expected)] * 2:
            failures.append(f"{what}: events: {failed} for {expected}")
        elif newest is None or broken or int(newest.name.removeprefix("step-")) not in range(EVERY, BAD + 1):
            failures.append(f"{what}: the newest checkpoint is {newest}")
    settle("R19", trials, failures, exit_code=DIVERGED, halted_twice=trials)


@pytest.mark.slow
def test_roll_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Model, optimiser and average have the bits of the step that is named; the run goes on, and if it is stopped there, ends the same."""
    monkeypatch.chdir(tmp_path)
    failures, trials = [], 0
    for name, where, value, split in cases():
        trials += 1
        folder = tmp_path / str(trials)
        path = recipe(folder, name, "rollback", where, value, split)
        what, kept, back = f"{name}, {where} {value}, {split or 'whole'}", {}, None
        with Run(load_recipe(str(path))) as trained:
            kept[0] = weights(trained)
            for report in trained:
                kept[report.step] = weights(trained)
                if "rolled_back_to" in report.metrics:
                    back = report.metrics["rolled_back_to"]
                    if report.step != BAD + 1 or kept[report.step] != kept[back]:
                        failures.append(f"{what}: step {report.step} has not the bits of step {back}")
            last = kept[STEPS]
        if back is None or last == kept[BAD + 1]:
            failures.append(f"{what}: back to {back}, and on? {last != kept[BAD + 1]}")
            continue
        stopped = run("train", path, "--out", "run", cwd=folder, hook=("at_step", {"step": BAD + 2, "number": 15}))
        ended = run("resume", "run", cwd=folder)
        newest, _ = checkpoint.newest_valid(folder / "run" / "checkpoints")
        if (stopped.code, ended.code) != (SAVED_RUN_AGAIN, 0) or newest is None:
            failures.append(f"{what}: exit codes {stopped.code}, {ended.code}: {ended.text[-200:]}")
        elif (state := checkpoint.read(newest))["step"] != STEPS or digest(state["model"]) != last["model"]:
            failures.append(f"{what}: stopped after it went back and resumed, it has other bits")
    settle("R19", trials, failures, rolled_back=trials)


def weights(trained: Run) -> dict[str, str]:
    """Digests of what a roll back puts back (the rate is of today; what techniques of the reports have seen, they have seen)."""
    state = trained.state()
    found = parts(state)
    return {"model": found["model"], "optimizer": found["optimizer"], "ema": digest(state["techniques"]["ema.0"])}
