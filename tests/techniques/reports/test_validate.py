"""Validation: when it measures, what, with which weights, and which step it calls the best."""

import pytest
import torch
import torch.nn.functional as F
import toys

from danlu.core import Run
from danlu.errors import BadInput
from danlu.metrics.classification import Accuracy
from danlu.techniques.reports.validate import Validate, better, mode_of
from danlu.techniques.update.ema import EMA

DATA = {"data": lambda: toys.made(40, held_out=13)}  # five steps an epoch; 13 rows are no multiple of a batch


def measured(run):
    return [report.step for report in run if "val_loss" in report.metrics]


@pytest.mark.parametrize("settings, length, steps", [
    ({}, {"steps": 12}, [5, 10, 12]),
    ({}, {"steps": None, "epochs": 2}, [5, 10]),
    ({"every": 1}, {"steps": 3}, [1, 2, 3]),
    ({"every": 4}, {"steps": 10}, [4, 8, 10]),
    ({"every": 99}, {"steps": 6}, [6]),
])  # fmt: skip
def test_every_so_many_steps_and_after_the_last(settings, length, steps):
    assert measured(Run(toys.recipe(validate=Validate(**settings), **length, **DATA))) == steps
    assert measured(Run(toys.recipe(validate=False, **length, **DATA))) == []


def test_the_default_is_once_an_epoch_where_there_is_something_to_validate_on():
    assert measured(Run(toys.recipe(steps=10, **DATA))) == [5, 10]
    assert measured(Run(toys.recipe(steps=10))) == []


@pytest.mark.parametrize("micro", [None, 3])
def test_what_it_measures_is_the_mean_over_all_rows(micro):
    run = Run(toys.recipe(validate=Validate(every=1), metrics=(Accuracy(),), micro_batch_size=micro, **DATA))
    x, y = run.data.val.inputs.double(), run.data.val.targets
    for report in run:
        scores = toys.twin(run).eval()(x)
        assert report.metrics["val_loss"] == pytest.approx(F.cross_entropy(scores, y).item(), abs=1e-12)
        assert report.metrics["val_accuracy"] == pytest.approx((scores.argmax(1) == y).double().mean().item())


@pytest.mark.parametrize("weights", ["auto", "raw", "ema"])
def test_with_which_weights(weights):
    run = Run(toys.recipe(EMA(decay=0.5, warmup=False), validate=Validate(every=1, weights=weights), **DATA))
    x, y = run.data.val.inputs.double(), run.data.val.targets
    for report in run:
        twin = toys.twin(run).eval()
        if weights != "raw":
            twin.load_state_dict(run.kept_weights("ema"))
        assert report.metrics["val_loss"] == pytest.approx(F.cross_entropy(twin(x), y).item(), abs=1e-12)


def test_an_average_that_nobody_keeps_is_a_sentence():
    with pytest.raises(BadInput, match="ema"):
        list(Run(toys.recipe(validate=Validate(every=1, weights="ema"), **DATA)))


@pytest.mark.parametrize("watch, pick", [("val_loss", min), ("val_accuracy", max)])
def test_the_best_so_far_is_asked_to_be_saved(watch, pick):
    run = Run(toys.recipe(
        validate=Validate(every=1, watch=watch), metrics=(Accuracy(),), optimizer=toys.sgd(lr=3.0, momentum=0.9), steps=30, **DATA
    ))  # fmt: skip
    seen = []
    for report in run:
        value = report.metrics[watch]
        assert ("best" in report.save) == (not seen or pick([value, *seen]) == value != pick(seen))
        seen.append(value)
    assert run.techniques[-1].best == pick(seen) and run.techniques[-1].best_step == 1 + seen.index(pick(seen))
    assert run.techniques[-1].best_step > 1


def test_measuring_changes_no_step():
    often, never = (toys.trained(model=toys.batch_normed, validate=v, **DATA) for v in (Validate(every=1), False))
    assert toys.apart(often, never) == 0.0


def test_a_metric_that_is_not_there_is_named():
    with pytest.raises(BadInput, match=r"val_f1.*val_loss"):
        list(Run(toys.recipe(validate=Validate(every=1, watch="val_f1"), metrics=(Accuracy(),), **DATA)))


@pytest.mark.parametrize("watch, mode", [
    ("val_loss", "min"), ("loss", "min"), ("val_rmse", "min"), ("val_perplexity", "min"),
    ("val_bits_per_byte", "min"), ("val_error", "min"),
    ("val_accuracy", "max"), ("val_auroc", "max"), ("val_r2", "max"), ("val_f1", "max"),
])  # fmt: skip
def test_which_way_is_better(watch, mode):
    assert mode_of(watch) == mode


def test_better():
    assert better(1.0, None, "min") and better(1.0, 2.0, "min") and better(2.0, 1.0, "max")
    assert not better(1.0, 1.0, "min") and not better(1.0, 1.05, "min", 0.1) and better(1.0, 1.2, "min", 0.1)
    assert not better(float("nan"), None, "min") and not better(float("nan"), 1.0, "max")
    assert better(torch.tensor(1.0), 2.0, "min")
