"""The range test against a loss whose breaking rate is known, and that a run is left as it was."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

from danlu.cli.main import main
from danlu.core import Recipe, Run
from danlu.data.source import Data, Facts, Tensors
from danlu.errors import Refused
from danlu.finders.learning_rate import growing, range_test, range_tests, smoothed, trace
from danlu.optim.first_order import SGD, AdamW
from danlu.techniques.gradient.clip import Clip
from danlu.techniques.reports.early_stop import EarlyStop

torch.set_num_threads(1)


def line(curvature: float) -> Recipe:
    """One weight, y = 3x and x² = curvature: the loss is curvature * (w - 3)² / 2 in every batch, so SGD breaks at 2 / curvature."""

    def data() -> Data:
        x = torch.full((64, 1), curvature**0.5)
        return Data(Tensors(x, 3 * x), Facts("regress", (1,), 1, rows=64))

    def net() -> nn.Module:
        one = nn.Linear(1, 1, bias=False)
        nn.init.zeros_(one.weight)
        return one

    def half_square(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return 0.5 * (output - target).square().sum()

    return Recipe(model=net, data=data, loss=half_square, optimizer=SGD(lr=0.1), steps=10, batch_size=16, validate=False)


@pytest.mark.parametrize("curvature", [0.5, 4.0, 100.0])
def test_the_end_of_the_fall_is_where_gradient_descent_breaks(curvature):
    with Run(line(curvature)) as run:
        found = range_test(run, low=1e-5 / curvature, high=100 / curvature, steps=300)
    assert 0.3 / curvature < found.end < 3 / curvature
    assert found.start < found.suggestion < found.end < 2 / curvature * 1.5


def test_the_run_is_left_bit_for_bit_as_it_was_and_reports_do_not_interfere():
    recipe = small(techniques=(EarlyStop(patience=0, watch="val_loss"), Clip(1.0)), validate=None)
    with Run(recipe) as run, Run(recipe) as other:
        for _, a in zip(range(5), run):
            assert a.step
        for _, b in zip(range(5), other):
            assert b.step
        before = {name: value.clone() for name, value in run.model.state_dict().items()}
        found = range_test(run, steps=60)
        assert len(found.rates) > 20 and run.step == 5
        assert all(torch.equal(value, before[name]) for name, value in run.model.state_dict().items())
        assert [float(r.loss) for _, r in zip(range(4), run)] == [float(r.loss) for _, r in zip(range(4), other)]


def small(**fields) -> Recipe:
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(256, 8, generator=draw)
    y = (x[:, :3]).argmax(1)
    rows = lambda: Data(Tensors(x[:192], y[:192]), Facts("classify", (8,), 3, rows=192), Tensors(x[192:], y[192:]))
    made = {"optimizer": AdamW(lr=1e-3), "validate": False, "batch_size": 16, "steps": 100}
    return Recipe(model=lambda: nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3)), data=rows, **{**made, **fields})


def test_seeds_differ_and_the_same_seed_agrees():
    one, two = range_tests(small(), [3, 4], steps=80)
    (again,) = range_tests(small(), [3], steps=80)
    assert np.array_equal(one.losses, again.losses) and not np.array_equal(one.losses, two.losses)
    assert one.rates[0] == pytest.approx(1e-6) and np.allclose(np.diff(np.log(one.rates)), np.log(10 / 1e-6) / 79)


def test_groups_keep_their_ratios():
    seen = []

    class Watched(torch.optim.SGD):
        def step(self, closure=None):
            seen.append([group["lr"] for group in self.param_groups])
            return super().step()

    def two(params):
        return Watched([{"params": [params[0][1]], "lr": 0.1}, {"params": [p for _, p in params[1:]], "lr": 0.02}])

    with Run(small(optimizer=two)) as run:
        range_test(run, low=1e-3, high=1e-1, steps=30)
    assert len(seen) == 30 and all(a == pytest.approx(5 * b) for a, b in seen)


def test_the_fit_finds_a_drawn_level_and_fall():
    rates = 10 ** np.linspace(-6, 1, 200)
    x = np.log10(rates)
    drawn = 2.0 - np.clip(x + 4, 0, None) * 0.5 + np.clip(x + 1, 0, None) * 4
    found = trace(0, rates, drawn + np.random.default_rng(0).normal(0, 0.02, 200), 200)
    assert abs(np.log10(found.start) + 4) < 0.35 and abs(np.log10(found.end) + 1) < 0.3  # smoothing lets the rise in: earlier, never later


def test_smoothing_is_a_mean_that_keeps_a_level():
    assert np.allclose(smoothed(np.full(50, 3.0), 4), 3.0)
    values = np.random.default_rng(0).normal(size=400)
    assert smoothed(values, 5).std() == pytest.approx((1 / (2 * 5 * np.pi**0.5)) ** 0.5, rel=0.4)  # of white noise under a Gaussian mean


def test_what_cannot_be_found_is_said():
    rates = growing(1e-6, 10, 50)
    with pytest.raises(Refused, match="did not fall at any rate"):
        trace(0, np.array([rates(s) for s in range(50)]), np.linspace(1, 2, 50), 50)
    with pytest.raises(Refused, match="after 3 steps"):
        trace(0, np.array([1.0, 2.0, 3.0]), np.ones(3), 50)


def test_the_command(tmp_path, capsys):
    assert main(["find", "lr", "wine", "--seeds", "2", "--steps", "60", "--out", str(tmp_path / "p.svg"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["low"] <= found["lr"] <= found["high"] and found["start"] < found["end"] and (tmp_path / "p.svg").stat().st_size > 1000
    assert main(["find", "lr", "wine", "--seeds", "1", "--steps", "60", "--lang", "zh"]) == 0
    said = capsys.readouterr().out
    assert "学习率" in said and "danlu train wine optimizer.lr=" in said
    for words, sentence in [
        (["lrs", "wine"], "`lr`"),
        (["lr", "wine", "--steps", "0"], "--steps"),
        (["lr", "wine", "--low", "1", "--high", "0.1"], "must be below"),
        (["lr", "wine", "--out", str(tmp_path / "p.pdf")], ".png or .svg"),
    ]:
        assert main(["find", *words]) == 2
        assert sentence in capsys.readouterr().err
