"""Going on with a run although something is not as it was: what is refused, what may be changed, and by which rule."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from danlu.core import Run
from danlu.errors import BadInput, Refused
from danlu.optim.first_order import AdamW
from danlu.optim.schedules import Cosine
from danlu.run import checkpoint, log
from danlu.run.changes import code_changes
from danlu.run.stop import Stopped
from danlu.run.train import train
from danlu.techniques.reports.early_stop import EarlyStop

from . import tiny_training as small
from .test_train import final_state, same_state, stopper


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def stopped(recipe, at, folder="out"):
    with pytest.raises(Stopped):
        train(recipe, folder, watchers=[stopper(at)])


def rates(folder):
    return {line["step"]: line["lr"] for line in log.read(Path(folder) / "metrics.jsonl") if "lr" in line}


LENGTH, RATE = ("epochs", "steps"), ("optimizer",)


def test_an_extended_run_is_the_longer_run_bit_for_bit_when_its_rate_does_not_know_the_length():
    train(small.recipe(epochs=5), "whole")
    train(small.recipe(epochs=3), "out")
    told = []
    train(small.recipe(epochs=5), "out", changing=LENGTH, resume=True, tell=told.append)
    a, b = final_state("whole"), final_state("out")
    for state in (a, b):
        state["techniques"].pop("validate.0")  # the last step of the shorter run was validated, too
    assert same_state(a, b)
    assert json.loads(Path("out/recipe.json").read_text())["epochs"] == 5
    record = json.loads(Path("out/record.json").read_text())
    assert record["steps"] == 30 and "epochs" in record["attempts"][-1]["changed"][0] and any("epochs: 3" in line for line in told)
    assert [line["step"] for line in log.read(Path("out/metrics.jsonl")) if "test_loss" in line] == [30]
    assert train(small.recipe(epochs=5), "out").step == 30  # finished: nothing more to do


def test_the_schedule_of_an_extended_run_is_laid_over_the_new_length():
    made = small.recipe(epochs=2, schedule=Cosine())
    train(made, "out", every=1)
    train(replace(made, epochs=4), "out", every=1, changing=LENGTH)
    found = rates("out")
    half = [0.01 * (1 + math.cos(math.pi * (step - 1) / 12)) / 2 for step in range(1, 13)]
    long = [0.01 * (1 + math.cos(math.pi * (step - 1) / 24)) / 2 for step in range(13, 25)]
    assert [found[step] for step in range(1, 25)] == pytest.approx(half + long, abs=1e-12)


def test_what_was_changed_holds_after_a_crash_before_the_next_save():
    made = small.recipe(every=100, epochs=3)
    stopped(made, 7)

    class Crash(BaseException):
        pass

    def crash(report, run):
        raise Crash

    faster = replace(made, optimizer=AdamW(lr=0.5), epochs=4)
    with pytest.raises(Crash):
        train(faster, "out", changing=LENGTH + RATE, watchers=[crash])
    train(faster, "out", every=1)  # without naming the change again
    assert {lr for step, lr in rates("out").items() if step > 7} == {0.5} and max(rates("out")) == 24


def test_a_rate_holds_from_the_next_step_on_and_only_when_it_is_named():
    made = small.recipe(epochs=3)
    stopped(made, 7)
    slower = replace(made, optimizer=AdamW(lr=0.001))
    before = Path("out/recipe.json").read_bytes()
    with pytest.raises(BadInput, match=r"optimizer\.adamw\.lr: 0\.01"):
        train(slower, "out")
    assert Path("out/recipe.json").read_bytes() == before
    train(slower, "out", every=1, changing=RATE)
    with Run(made) as run:
        for report in run:
            if report.step == 7:
                break
        state = run.state()
        with Run(made) as again:
            again.load(state)
            for group in again.optimizer.param_groups:
                group["lr"] = 0.001
            for _report in again:
                pass
            expected = {name: p.clone() for name, p in again.model.state_dict().items()}
    newest, _ = checkpoint.newest_valid(Path("out/checkpoints"))
    found = checkpoint.read(newest)["model"]
    assert newest.name == "step-18" and all(torch.equal(found[name], expected[name]) for name in expected)


def test_extending_is_refused_where_it_means_nothing():
    train(small.recipe(epochs=3), "out")
    before = Path("out/recipe.json").read_bytes()
    with pytest.raises(BadInput, match="at step 18 already, and the new length is 6"):
        train(small.recipe(epochs=1), "out", changing=LENGTH)
    early = small.recipe(epochs=20, techniques=(EarlyStop(patience=0, threshold=1e9),))
    train(early, "early")
    with pytest.raises(Refused, match="early stopping"):
        train(replace(early, epochs=30), "early", changing=LENGTH)
    assert Path("out/recipe.json").read_bytes() == before


def attempt(**fields):
    return {"danlu": "1.0", "source": "a" * 64, "python": "3.11.7", "packages": {"torch": "2.13.0", "pytest": "1", "unheard": "1"}} | fields


def test_what_counts_as_other_code():
    assert code_changes(attempt(), attempt()) == []
    assert code_changes({}, attempt(source="b" * 64)) == []  # an old record does not say
    assert "aaaaaaaaaaaa" in code_changes(attempt(), attempt(source="b" * 64))[0]
    assert code_changes(attempt(), attempt(source="b" * 64, danlu="1.1")) == ['  danlu: "1.0" (in the run) -> "1.1" (now)']
    assert "torch" in code_changes(attempt(), attempt(packages={"torch": "2.14.0", "pytest": "1"}))[0]
    assert code_changes(attempt(), attempt(packages={"torch": "2.13.0", "unheard": "2"})) == []  # nothing of it is loaded
    mine = [{"path": "/my.py", "sha256": "1" * 64, "kept": "k"}]
    assert "/my.py" in code_changes(attempt(sources=mine), attempt(sources=[{**mine[0], "sha256": "2" * 64}]))[0]


def test_other_code_needs_a_yes_and_is_recorded(monkeypatch):
    made = small.recipe()
    stopped(made, 7)
    monkeypatch.setattr("danlu.run.record.source_digest", lambda: "f" * 64)
    files = {path: path.read_bytes() for path in Path("out").rglob("*.json*") if path.is_file()}
    with pytest.raises(BadInput, match="--accept code"):
        train(made, "out")
    assert {path: path.read_bytes() for path in files} == {
        **files, Path("out/events.jsonl"): Path("out/events.jsonl").read_bytes()
    }  # fmt: skip
    train(made, "out", accept=["code"])
    assert json.loads(Path("out/record.json").read_text())["attempts"][-1]["changed"][0].strip().startswith("danlu")
    assert "changed" in [event["event"] for event in log.read(Path("out/events.jsonl"))]
    train(small.recipe(), "whole")
    assert same_state(final_state("whole"), final_state("out"))


def test_a_run_that_saved_nothing_yet_starts_with_whatever_code():
    made = small.recipe(every=100, validate=False)

    class Crash(BaseException):
        pass

    def crash(report, run):
        raise Crash

    with pytest.raises(Crash):
        train(made, "out", watchers=[crash])
    path = Path("out/record.json")
    record = json.loads(path.read_text())
    record["attempts"][0]["source"] = "0" * 64
    path.write_text(json.dumps(record))
    assert train(made, "out").step == 18


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self):
        return self.now


def test_a_limit_stops_in_time_for_the_save(monkeypatch):
    """Steps of ten made seconds, a limit of a hundred: it ends with a step and a save to spare, and the rest is done by the next start."""
    clock = Clock()
    monkeypatch.setattr("danlu.run.session.time.monotonic", clock)

    def watch(report, run):
        clock.now += 10.0

    with pytest.raises(Stopped, match="time limit is near: stopped after step 9 of 18"):
        train(small.recipe(), "out", limit=100.0, watchers=[watch])
    assert log.read(Path("out/events.jsonl"))[-1]["signal"] == "limit"
    train(small.recipe(), "out", limit=1000.0, watchers=[watch])
    train(small.recipe(), "whole")
    assert same_state(final_state("whole"), final_state("out"))


def test_the_limit_counts_from_the_call(monkeypatch):
    """Data and model that took ninety of a hundred seconds leave time for one step of ten."""
    clock = Clock()
    monkeypatch.setattr("danlu.run.session.time.monotonic", clock)
    made = small.recipe()

    def slow(*args):
        clock.now += 90.0
        return made.model(*args)

    def watch(report, run):
        clock.now += 10.0

    with pytest.raises(Stopped, match="stopped after step 1 of 18"):
        train(replace(made, model=slow), "out", limit=100.0, watchers=[watch])
