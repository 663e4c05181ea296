"""The noise scale against a regression whose noise is known, against the whole population, and that a run is left as it was."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from toys import Spoil, steps, tokens
from toys import recipe as toy

from danlu.cli.main import main
from danlu.core import Recipe, Run
from danlu.data.source import Data, Facts, Tensors
from danlu.errors import Refused
from danlu.finders.noise_scale import Course, Point, course, courses, measured, point, together, useful
from danlu.losses.adapt import batch_loss
from danlu.optim.first_order import SGD
from danlu.techniques.gradient.clip import Clip
from danlu.techniques.reports.early_stop import EarlyStop


def regression(rows: int, dims: int, sigma: float, batch: int = 8) -> Recipe:
    """y = sum(x) + sigma * e with x and e standard normal, from weights of zero, half the squared error.

    A row's gradient is x (x . d - sigma e) with d = w - w*, whose mean is d and whose covariance is (|d|^2 + sigma^2) I + d d^T.
    """

    def data() -> Data:
        draw = torch.Generator().manual_seed(5)
        x = torch.randn(rows, dims, generator=draw, dtype=torch.float64)
        y = x.sum(1, keepdim=True) + sigma * torch.randn(rows, 1, generator=draw, dtype=torch.float64)
        return Data(Tensors(x, y), Facts("regress", (dims,), 1, rows=rows))

    def net() -> nn.Module:
        one = nn.Linear(dims, 1, bias=False)
        nn.init.zeros_(one.weight)
        return one

    def half_square(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return 0.5 * (output - target).square().sum()

    return Recipe(net, data, half_square, SGD(lr=0.01), precision="fp64", steps=10, batch_size=batch, validate=False, device="cpu")


@pytest.mark.parametrize(("dims", "sigma"), [(4, 0.5), (16, 6.0)])
def test_a_regression_whose_noise_covariance_is_known(dims, sigma):
    with Run(regression(4096, dims, sigma)) as run:
        found = measured(run, 4096)
    length = float(dims)  # |d|^2: every weight is off by one
    trace = dims * (length + sigma**2) + length
    assert found.noise == pytest.approx(trace, rel=0.1)
    assert found.signal == pytest.approx(length, rel=0.1 + 4 * (trace / 4096 / length) ** 0.5)
    assert found.scale == pytest.approx(trace / length, rel=0.3)


def test_both_estimates_are_without_bias_for_batches_of_a_population():
    draw = np.random.default_rng(0)
    rows = draw.normal(0.3, 1.0, (60, 3))
    mean, trace = rows.mean(0), rows.var(0, ddof=1).sum()
    drawn = []
    for _ in range(8_000):
        parts = rows[draw.permutation(60)[:24]].reshape(6, 4, 3).mean(1)
        drawn.append(point(0, (parts**2).sum(1).mean(), (parts.mean(0) ** 2).sum(), 4, 24, 60))
    signals, noises = np.array([p.signal for p in drawn]), np.array([p.noise for p in drawn])
    for found, true in ((signals, mean @ mean), (noises, trace)):
        assert abs(found.mean() - true) < 4 * found.std() / len(found) ** 0.5
    endless = [point(0, 5.0, 2.0, 1, 4), point(0, 5.0, 2.0, 1, 4, 1e15)]
    assert endless[0].noise == 4 and endless[0].signal == 1 == pytest.approx(endless[1].signal)  # the paper's formulas


@pytest.mark.parametrize("data", [lambda: tokens(40), None], ids=["unequal counts", "rows"])
def test_over_all_rows_the_signal_is_the_gradient_of_the_whole_set(data):
    fields = {"data": data, "loss": "auto"} if data else {}
    with Run(toy(batch_size=4, **fields)) as run:
        found = measured(run, 40)
        x, y = run.data.train.fetch(torch.arange(40), 0)
        loss = F.cross_entropy(run.model(x.double()).flatten(0, -2), y.flatten())
        grads = torch.autograd.grad(loss, list(run.model.parameters()))
    assert found.signal == pytest.approx(sum(float(g.square().sum()) for g in grads), rel=1e-9)
    assert found.noise > 0


def test_the_run_is_left_bit_for_bit_as_it_was():
    recipe = toy(EarlyStop(patience=0, watch="loss"), Clip(1.0), steps=20)
    with Run(recipe) as run, Run(recipe) as other:
        steps(run, 3), steps(other, 3)
        before = {name: value.clone() for name, value in run.model.state_dict().items()}
        found = course(run, points=3, steps=8, rows=32)
        assert [p.step for p in found.points] == [0, 4, 8] and run.step == 3
        assert all(torch.equal(value, before[name]) for name, value in run.model.state_dict().items())
        assert [float(r.loss) for r in run] == [float(r.loss) for r in other]


def test_a_smaller_signal_means_a_larger_scale_and_seeds_differ():
    near, far = (next(courses(regression(512, 4, sigma), [0], 2, 4, 256)) for sigma in (0.1, 4.0))
    assert near.scale < far.scale / 3
    one, two = courses(regression(512, 4, 1.0), [0, 1], 2, 4, 256)
    assert one.points != two.points


def test_seeds_are_taken_together():
    found = [Course(seed, (Point(0, 9.0, 9.0), Point(4, 1.0, scale))) for seed, scale in enumerate((50.0, 100.0, 200.0))]
    noise = together(found)
    assert noise.scale == pytest.approx(100) and noise.low == pytest.approx(100 / noise.high * 100)
    assert math.log(noise.high / 100) == pytest.approx(4.302653 * math.log(2) / 3**0.5, rel=1e-4)  # Student's t of two degrees
    assert together(found[:1]).low == pytest.approx(50) and useful(noise, 1000) == 128 and useful(noise, 100) == 100


def test_what_cannot_be_measured_is_said():
    with pytest.raises(Refused, match="seed 7: the gradient cannot be told"):
        together([Course(7, (Point(0, -1.0, 3.0),))])
    whole = batch_loss(lambda output, target: F.cross_entropy(output, target))
    with Run(toy(loss=whole)) as run, pytest.raises(Refused, match="whole batch"):
        measured(run)
    with Run(toy()) as run, pytest.raises(Refused, match="too few"):
        measured(run, 1)
    with Run(toy(Spoil())) as run, pytest.raises(Refused, match="broke at step 3"):
        course(run, 2, 5, 16)


def test_the_command(tmp_path, capsys):
    words = ["find", "batch", "wine", "--seeds", "2", "--points", "2", "--steps", "6", "--rows", "64"]
    assert main([*words, "--json", "--out", str(tmp_path / "p.svg")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["noise"]["low"] <= found["noise"]["scale"] <= found["noise"]["high"]
    assert found["micro_batch"]["rows"] >= found["batch_size"]
    assert (tmp_path / "p.svg").stat().st_size > 1000 and [len(one["points"]) for one in found["seeds"]] == [2, 2]
    assert main([*words, "--lang", "zh"]) == 0
    assert "有用的批大小" in capsys.readouterr().out
    for more, code, sentence in [
        (["--low", "1"], 2, "--low is not for `find batch`"),
        (["--rows", "2.5"], 2, "--rows"),
        (["--memory", "1e-9"], 8, "one row"),
    ]:
        assert main([*words, *more]) == code
        assert sentence in capsys.readouterr().err
