"""The driver: what it leaves in the folder, and that stopping anywhere and going on changes no bit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from danlu.core import Run, Technique
from danlu.errors import DIVERGED, SAVED_RUN_AGAIN, BadInput, Diverged
from danlu.metrics.score import score
from danlu.run import checkpoint, log, report
from danlu.run.stop import Stopped
from danlu.run.train import train
from danlu.techniques.reports.checkpoint import Checkpoint
from danlu.techniques.reports.early_stop import EarlyStop

from . import tiny_training as small

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def lines(folder, name="metrics.jsonl"):
    return log.read(Path(folder) / name)


def stopper(at: int):
    """A watcher that asks the run to stop after step `at`, as a signal would."""

    def watch(report, run):
        if report.step == at:
            os.kill(os.getpid(), signal.SIGTERM)

    return watch


def final_state(folder):
    """The last checkpoint, without the clocks in it."""
    newest, reasons = checkpoint.newest_valid(Path(folder) / "checkpoints")
    assert not reasons
    return checkpoint.read(newest)


def flat(tree, path=""):
    if isinstance(tree, dict):
        return {k: v for key, item in tree.items() for k, v in flat(item, f"{path}/{key}").items()}
    return {path: tree}


def same_state(a, b):
    a, b = flat(a), flat(b)
    assert a.keys() == b.keys()
    return all(torch.equal(a[key], b[key]) if isinstance(a[key], torch.Tensor) else a[key] == b[key] for key in a)


def test_what_a_training_leaves():
    seen, told = [], []
    result = train(
        small.recipe(),
        name="small",
        every=4,
        watchers=[lambda report, run: seen.append(report.step)],
        tell=told.append,
        command=["danlu", "x"],
    )
    assert seen == list(range(1, 19))
    assert result.step == 18 and result.folder.name.startswith("small-")
    names = {path.name for path in result.folder.iterdir()}
    assert names == {
        "recipe.json", "record.json", "metrics.jsonl", "events.jsonl", "train.log", "report.html", "checkpoints",
        "model.safetensors", "preprocess.json", "lock", "curves.png",
    }  # fmt: skip
    assert {path.stat().st_mode & 0o077 for path in result.folder.rglob("*")} == {0}
    found = lines(result.folder)
    assert [line["step"] for line in found[:-1]] == [1, 4, 5, 8, 10, 12, 15, 16, 18]
    assert {"step", "epoch", "loss", "lr", "val_loss", "val_accuracy", "seconds", "rows_per_second"} <= found[2].keys()
    assert "val_loss" not in found[1] and found[-2]["epoch"] == 3.0
    assert found[-1]["test_accuracy"] == result.metrics["test_accuracy"] and found[-1]["best_step"] == result.best_step
    assert [event["event"] for event in lines(result.folder, "events.jsonl")][::18] == ["start"]
    assert lines(result.folder, "events.jsonl")[-1]["event"] == "done"
    record = json.loads((result.folder / "record.json").read_text())
    assert record["attempts"][0]["command"] == ["danlu", "x"] and record["data"]["fingerprint"] == "rows 1"
    assert record["attempts"][0]["packages"]["torch"] and record["parameters"] == record["trainable"] == 227
    text = (result.folder / "train.log").read_text()
    assert all(sentence in text for sentence in told) and "step 18/18" in text and len(told) == 1


def test_the_test_figures_are_those_of_the_best_steps_average():
    """Against the loop alone: the average at the step with the lowest validation loss, on the test rows."""
    made = small.recipe(validate=None, epochs=6)
    result = train(made, "out")
    with Run(made) as run:
        scores = {}
        for report in run:
            if "val_loss" in report.metrics:
                weights = {name: value.clone() for name, value in run.kept_weights("auto").items()}
                scores[report.metrics["val_loss"]] = (report.step, score(run, run.data.test, "test_", weights), weights)
        step, figures, weights = scores[min(scores)]
    assert result.best_step == step and result.metrics == figures
    kept = load_file("out/model.safetensors")
    assert kept.keys() == weights.keys() and all(torch.equal(kept[name], weights[name]) for name in kept)


def test_early_stopping_decides_when_it_put_weights_back():
    stop = EarlyStop(watch="val_accuracy", patience=0, threshold=0.2)
    result = train(small.recipe(techniques=(stop,), epochs=20), "out")
    assert result.step < 120 and lines("out", "events.jsonl")[-1]["weights"] == "restored"
    again = train(small.recipe(techniques=(stop,), epochs=20), "out")
    assert again == result and [line["step"] for line in lines("out")].count(result.step) == 2


@pytest.mark.parametrize("at", [1, 4, 5, 17, 18])
def test_stopping_after_any_step_and_going_on_changes_no_bit(at):
    train(small.recipe(), "whole", every=2)
    with pytest.raises(Stopped) as stopped:
        train(small.recipe(), "parts", every=2, watchers=[stopper(at)])
    assert stopped.value.code == SAVED_RUN_AGAIN and "danlu resume parts" in str(stopped.value)
    told = []
    train(small.recipe(), "parts", every=2, tell=told.append)
    assert f"continuing at step {at} of 18" in told[0]
    assert same_state(final_state("whole"), final_state("parts"))
    timeless = lambda folder: [{k: v for k, v in line.items() if k not in ("seconds", "rows_per_second")} for line in lines(folder)]
    assert timeless("whole") == timeless("parts")
    assert Path("whole/model.safetensors").read_bytes() == Path("parts/model.safetensors").read_bytes()


def test_a_crash_loses_what_was_not_saved_and_nothing_else():
    class Crash(BaseException):
        pass

    def crash(report, run):
        if report.step == 11:
            raise Crash

    train(small.recipe(), "whole", every=1)
    with pytest.raises(Crash):
        train(small.recipe(), "parts", every=1, watchers=[crash])
    with open("parts/metrics.jsonl", "ab") as file:
        file.write(b'{"step": 11, "lo')
    os.mkdir("parts/checkpoints/step-12.tmp")
    train(small.recipe(), "parts", every=1)
    assert [line["step"] for line in lines("parts")] == [*range(1, 19), 18]
    assert same_state(final_state("whole"), final_state("parts"))
    assert not list(Path("parts/checkpoints").glob("*.tmp"))


def test_a_broken_newest_checkpoint_falls_back_with_a_reason():
    train(small.recipe(), "whole")
    with pytest.raises(Stopped):
        train(small.recipe(), "parts", watchers=[stopper(9)])
    state = Path("parts/checkpoints/step-9/state.safetensors")
    state.write_bytes(state.read_bytes()[:-1] + b"\x00\x01"[:1])
    told = []
    (Path("parts/checkpoints/step-9/state.json")).unlink()
    train(small.recipe(), "parts", tell=told.append)
    assert "step-9" in told[0] and "step-8" in told[0] and "\n" not in told[0]
    assert "continuing at step 8" in told[1]
    assert same_state(final_state("whole"), final_state("parts"))


def test_when_no_checkpoint_is_whole_it_does_not_start_over_in_silence():
    train(small.recipe(), "out")
    for folder in Path("out/checkpoints").glob("step-*"):
        (folder / "manifest.json").write_text("{}")
    with pytest.raises(BadInput, match=r"no checkpoint in .* is whole"):
        train(small.recipe(), "out")


def test_a_finished_run_does_nothing_again(monkeypatch):
    first = train(small.recipe(), "out")
    before = {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file() and path.name != "train.log"}
    told, steps = [], []
    assert train(small.recipe(), "out", tell=told.append, watchers=[lambda report, run: steps.append(report.step)]) == first
    assert steps == [] and "finished at step 18" in told[-1]
    assert before == {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file() and path.name != "train.log"}


def test_another_recipe_and_other_data_are_refused(monkeypatch):
    train(small.recipe(), "out")
    with pytest.raises(BadInput, match="batch_size: 16"):
        train(small.recipe(batch_size=32), "out")
    monkeypatch.setattr(small.Rows, "version", "2")
    with pytest.raises(BadInput, match=r'fingerprint: "rows 1" .* "rows 2"'):
        train(small.recipe(), "out")


def test_bad_input_makes_no_folder():
    with pytest.raises(BadInput):
        train(small.recipe(batch_size=1000))
    with pytest.raises(BadInput, match="no run in there"):
        train(small.recipe(), "there", resume=True)
    assert not list(Path().iterdir())


def test_a_step_that_is_not_finite_is_counted_and_never_hidden(monkeypatch):
    monkeypatch.setattr("danlu.data.checks.check_rows", lambda data, batch_size: None)  # as if the NaN appeared during the run
    told = []
    train(small.recipe(epochs=2, poison=50, techniques=()), "out", every=1, tell=told.append)
    events = [event["step"] for event in lines("out", "events.jsonl") if event["event"] == "nonfinite"]
    assert len(events) == 2 and "moved nothing (1 such" in told[1]
    bad = next(line for line in lines("out") if line["step"] == events[0])
    assert bad["loss"] is None and "loss" in bad["nonfinite"]
    assert all(torch.isfinite(value).all() for value in load_file("out/model.safetensors").values())


@dataclass
class Spoil(Technique):
    after: int = 20

    def wrap_gradient(self, gradient, run):
        def spoiled(objective, batches):
            outcome = gradient(objective, batches)
            outcome.overflow = torch.tensor(float(batches[0].step >= self.after))
            return outcome

        return spoiled


@pytest.mark.parametrize("total", [6, 300])
def test_a_run_that_has_diverged_is_ended_with_advice(total):
    with pytest.raises(Diverged, match="had no finite gradient; lower") as trouble:
        train(small.recipe(steps=total, epochs=None, techniques=(Spoil(20 if total > 100 else 0),)), "out")
    assert trouble.value.code == DIVERGED
    events = lines("out", "events.jsonl")
    assert events[-1]["event"] == "failed" and events[-2]["step"] == (120 if total > 100 else 6)
    page = report.write(Path("out")).read_text()
    assert "failed" in page and "had no finite gradient" in page


SCRIPT = """
import sys, torch
torch.set_num_threads(1)
sys.path.insert(0, sys.argv[1])
from run import tiny_training as small
from danlu.errors import Trouble
from danlu.run.train import train
try:
    train(small.recipe(epochs=150, every=50), "out", watchers=[lambda report, run: print(report.step, flush=True)])
except Trouble as trouble:
    print(trouble, file=sys.stderr)
    sys.exit(trouble.code)
"""
TESTS = str(Path(__file__).parents[1])


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_real_process_that_is_told_to_stop_or_killed(number):
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, TESTS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while int(process.stdout.readline()) < 137:
        pass
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)  # slow machines may take long; the return code says that it stopped early
    assert process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else SAVED_RUN_AGAIN)
    assert number == signal.SIGKILL or errors.startswith(signal.Signals(number).name)
    train(small.recipe(epochs=150, every=50), "out")
    train(small.recipe(epochs=150, every=50), "whole")
    assert same_state(final_state("whole"), final_state("out"))
    logged = [line["step"] for line in lines("out")]
    assert logged == [line["step"] for line in lines("whole")] and len(set(logged)) == len(logged) - 1


def test_no_secret_of_the_environment_is_written(monkeypatch):
    monkeypatch.setenv("MY_API_KEY", "canary-5521")
    folder = train(small.recipe(), "out").folder
    assert not [path for path in folder.rglob("*") if path.is_file() and b"canary-5521" in path.read_bytes()]


@dataclass
class Long(Technique):
    """Twenty seconds of work after step 7, in which a signal comes."""

    def wrap_reports(self, reports, run):
        for found in reports:
            if found.step == 7:
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(20)
            yield found


def test_a_signal_that_comes_between_steps_ends_the_run_at_once(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("danlu.run.finish.plot", lambda *args, **how: os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(Stopped, match="no step was under way") as trouble:
            train(small.recipe(), "out")
    assert trouble.value.code == SAVED_RUN_AGAIN
    train(small.recipe(), "out")
    assert Path("out/curves.png").exists() and lines("out", "events.jsonl")[-1]["event"] == "done"


def test_what_takes_longer_than_its_grace_is_given_up(monkeypatch):
    monkeypatch.setattr("danlu.run.stop.GRACE", 0.2)
    began = time.monotonic()
    with pytest.raises(Stopped, match="newest checkpoint") as trouble:
        train(small.recipe(techniques=(Checkpoint(every=3), Long())), "out")
    assert trouble.value.code == SAVED_RUN_AGAIN
    assert time.monotonic() - began < 10 and checkpoint.steps(Path("out/checkpoints"))[-1] in (5, 6)
