"""Schedule-free: the point that is judged is the average, everywhere a run looks at weights."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
import toys

import danlu
from danlu.core import Run
from danlu.optim.schedule_free import ScheduleFreeAdamW, ScheduleFreeSGD
from danlu.optim.schedules import Constant
from danlu.run.train import train
from danlu.techniques.reports.early_stop import EarlyStop

BOTH = pytest.mark.parametrize("optimizer", [ScheduleFreeSGD(lr=0.5), ScheduleFreeAdamW(lr=0.05, weight_decay=0.01)])


def points(run, key):
    return {name: run.optimizer.state[p][key].clone() for name, p in run.model.named_parameters() if p in run.optimizer.state}


@BOTH
def test_the_average_is_the_mean_of_the_stepping_point(optimizer):
    """With one rate throughout, every z weighs the same; y lies between the two."""
    run = Run(toys.recipe(optimizer=optimizer, steps=8))
    past = []
    for _ in run:
        past.append(points(run, "z"))
        for name, x in points(run, "x").items():
            torch.testing.assert_close(x, torch.stack([z[name] for z in past]).mean(0), rtol=0, atol=1e-13)
            y = dict(run.model.named_parameters())[name]
            torch.testing.assert_close(y.detach(), 0.1 * past[-1][name] + 0.9 * x, rtol=0, atol=1e-13)


def test_a_warmup_weighs_little():
    run = Run(toys.recipe(optimizer=ScheduleFreeSGD(lr=0.4), schedule=Constant(warmup=3), steps=6))
    past, weights = [], []
    for report in run:
        past.append(points(run, "z")), weights.append(report.lr**2)
        wanted = {name: sum(w * z[name] for w, z in zip(weights, past)) / sum(weights) for name in past[0]}
        for name, x in points(run, "x").items():
            torch.testing.assert_close(x, wanted[name], rtol=0, atol=1e-13)
    assert weights == pytest.approx([0.01, 0.04, 0.09, 0.16, 0.16, 0.16])


@BOTH
def test_validation_looks_at_the_average(optimizer):
    run = Run(toys.recipe(optimizer=optimizer, data=lambda: toys.made(held_out=12), steps=10))
    found = [report.metrics["val_loss"] for report in run if report.metrics][-1]
    judged, raw = toys.twin(run).eval(), toys.twin(run).eval()
    judged.load_state_dict(run.kept_weights())
    x, y = run.data.val.fetch(torch.arange(12), 0)
    assert found == pytest.approx(F.cross_entropy(judged(x.double()), y).item(), abs=1e-12)
    assert found != pytest.approx(F.cross_entropy(raw(x.double()), y).item(), abs=1e-6)


@BOTH
@pytest.mark.parametrize("which", ["", "@latest", "@best"])
def test_what_is_loaded_from_a_run_folder_is_the_average(optimizer, which, tmp_path):
    recipe = replace(danlu.load_recipe("wine"), optimizer=optimizer, schedule=None, techniques=(), epochs=3, device="cpu")
    result = train(recipe, tmp_path / "run")
    run = Run(recipe)
    for report in run:
        if report.step == (result.best_step if which != "@latest" else run.total):
            break
    held = danlu.load(f"{tmp_path / 'run'}{which}", device="cpu").module.state_dict()
    assert all(torch.equal(held[name], value) for name, value in run.kept_weights().items())
    assert any(not torch.equal(held[name], value) for name, value in toys.state(run).items())


def test_early_stopping_restores_the_average_that_was_best():
    run = toys.trained(EarlyStop(patience=100), optimizer=ScheduleFreeSGD(lr=3.0), data=lambda: toys.made(held_out=12), steps=40)
    stop = next(t for t in run.techniques if isinstance(t, EarlyStop))
    assert stop.best_step < 40
    assert all(torch.equal(run.kept_weights()[name], best) for name, best in stop.best_weights.items())


def test_before_the_first_step_the_average_is_the_weights():
    run = Run(toys.recipe(optimizer=ScheduleFreeSGD()))
    assert all(torch.equal(run.kept_weights()[name], value) for name, value in toys.state(run).items())


def test_another_average_around_it_goes_first():
    from danlu.techniques.update.ema import EMA

    run = toys.trained(EMA(0.5), optimizer=ScheduleFreeSGD(lr=0.5))
    assert run.kept_weights() is run.techniques[0].average
