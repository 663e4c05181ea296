"""Early stopping on measurements that are written down: when it stops, why, and what is left in the model."""

import math
import time
from dataclasses import dataclass, field

import pytest
import torch
import toys

from danlu.core import Run, Technique
from danlu.errors import BadInput
from danlu.techniques.reports.early_stop import EarlyStop
from danlu.techniques.reports.validate import Validate
from danlu.techniques.update.ema import EMA


@dataclass
class Script(Technique):
    """Says what was measured in each step; None is a step without a measurement."""

    values: tuple = ()
    metric: str = "val_loss"
    others: dict = field(default_factory=dict)

    def wrap_reports(self, reports, run):
        for report in reports:
            value = self.values[report.step - 1]
            if value is not None:
                report.metrics |= {self.metric: value, **self.others}
            yield report


def scripted(values, metric="val_loss", techniques=(), **settings):
    stop = EarlyStop(watch=metric, **settings)
    return Run(toys.recipe(stop, *techniques, Script(tuple(values), metric), steps=len(values)))


def course(values, **settings):
    """(steps made, why it stopped)"""
    run = scripted(values, **settings)
    reports = list(run)
    assert [r.step for r in reports] == list(range(1, run.step + 1))
    assert [r.metrics.get("stopped") for r in reports[:-1]] == [None] * (len(reports) - 1)
    assert ("latest" in reports[-1].save) == ("stopped" in reports[-1].metrics or run.step == run.total)
    assert list(run) == []  # iterating again does not bring it back
    return run.step, reports[-1].metrics.get("stopped")


@pytest.mark.parametrize("values, settings, end", [
    ([5, 4, 3, 2, 1], {"patience": 0}, (5, None)),
    ([5, 4, 4, 3], {"patience": 0}, (3, "patience")),
    ([5, 4, 4, 3, 3, 3, 3], {"patience": 1}, (6, "patience")),
    ([5, None, 6, None, 6, None, 6, 1], {"patience": 2}, (7, "patience")),  # steps without a measurement are not waited for
    ([5, 4.95, 4.9, 4.85, 1], {"patience": 1, "threshold": 0.1}, (3, "patience")),
    ([5, 4.95, 4.85, 4.8, 4.7], {"patience": 1, "threshold": 0.1}, (5, None)),  # small gains add up to a large one
    ([1, 2, 3, 3, 3], {"patience": 1, "mode": "max"}, (5, "patience")),
    ([1, 2, 3, 3, 4], {"patience": 1, "metric": "val_accuracy"}, (5, None)),
    ([5, 4, 3, 2, 1], {"target": 3.0}, (3, "target")),
    ([0.1, 0.95, 0.97], {"target": 0.9, "metric": "val_accuracy"}, (2, "target")),
    ([5, 9, 11, 3], {"diverges": 10.0}, (3, "diverged")),
    ([0.5, 0.3, 0.1, 0.6], {"diverges": 0.2, "metric": "val_accuracy"}, (3, "diverged")),
    ([5, math.nan, 4], {}, (2, "diverged")),
    ([5, math.inf, 4], {}, (2, "diverged")),
    ([math.nan], {"target": 3.0}, (1, "diverged")),
    ([5, torch.tensor(4.0), torch.tensor(4.0)], {"patience": 0}, (3, "patience")),
])  # fmt: skip
def test_when_and_why(values, settings, end):
    assert course(values, **settings) == end


def test_minutes_of_training():
    run = Run(toys.recipe(EarlyStop(minutes=0.02 / 60), steps=10**6))
    start = time.monotonic()
    reports = list(run)
    assert reports[-1].metrics == {"stopped": "time"} and run.step < run.total and time.monotonic() - start < 5
    assert all(r.metrics == {} for r in reports[:-1])


@pytest.mark.parametrize("values", [[5, 1, 3, 3, 3], [5, 1, 3, 3]])  # stopped by patience, and ended by itself
@pytest.mark.parametrize("restore", [True, False])
def test_the_best_weights_come_back_at_the_end(values, restore):
    run = scripted(values, patience=2, restore=restore)
    weights = {}
    for report in run:
        weights[report.step] = toys.state(run)
    best, last = weights[2], {k: v.clone() for k, v in toys.state(Run(toys.recipe())).items()}
    found = toys.state(run)
    assert all(torch.equal(value, best[name]) for name, value in found.items()) == restore
    assert not any(torch.equal(value, last[name]) for name, value in found.items())
    assert (run.techniques[0].best, run.techniques[0].best_step) == (1, 2)


def test_with_an_average_the_average_of_the_best_step_is_what_is_left():
    """What was validated is what is exported: `kept_weights`, too, are those of the best step."""
    run = scripted([5, 1, 3, 3, 3], patience=2, techniques=(EMA(decay=0.5, warmup=False),))
    averages = {}
    for report in run:
        averages[report.step] = {name: value.clone() for name, value in run.kept_weights("auto").items()}
    for found in (toys.state(run), run.kept_weights("auto")):
        assert all(torch.equal(value, averages[2][name]) for name, value in found.items())
    assert not torch.equal(averages[1]["0.weight"], averages[2]["0.weight"])


@pytest.mark.parametrize("k", range(7))
def test_patience_and_the_best_weights_survive_a_restart(k):
    values = [5, 4, 1, 3, 2, 3, 3, 3]
    whole = scripted(values, patience=2)
    list(whole)
    half, again = scripted(values, patience=2), scripted(values, patience=2)
    again.load(toys.steps(half, k).state())
    list(again)
    assert again.step == whole.step == 6 and toys.apart(whole, again) == 0.0
    assert again.techniques[0].stopped == whole.techniques[0].stopped == "patience"
    assert list(again) == []


def test_time_survives_a_restart():
    first = Run(toys.recipe(EarlyStop(minutes=1e9)))
    toys.steps(first, 3)
    spent = first.techniques[0].seconds
    again = Run(toys.recipe(EarlyStop(minutes=1e9)))
    again.load(first.state())
    list(again)
    assert 0 < spent < again.techniques[0].seconds


def test_a_metric_that_nobody_measures_is_named():
    values = Script((1.0, 1.0), "val_loss", {"val_accuracy": 0.5})
    with pytest.raises(BadInput, match=r"val_acuracy.*val_accuracy, val_loss"):
        list(Run(toys.recipe(EarlyStop(watch="val_acuracy"), values, steps=2)))


def test_with_a_real_validation_inside():
    run = Run(toys.recipe(
        EarlyStop(patience=3), validate=Validate(every=1), data=lambda: toys.made(24, held_out=40), optimizer=toys.sgd(lr=1.5), steps=400
    ))  # fmt: skip
    losses = [report.metrics["val_loss"] for report in run]
    assert run.step < 400 and len(losses) == run.step and min(losses) == losses[-5]
    from danlu.metrics.score import score

    assert score(run, run.data.val, "val_")["val_loss"] == pytest.approx(min(losses), abs=1e-12)
