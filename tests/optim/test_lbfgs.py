"""L-BFGS against scipy's, on the same loss; under accumulation; and against the closed form of a quadratic."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import toys
from scipy.optimize import minimize
from torch import nn

from danlu.core import Run
from danlu.data.source import Data, Facts, Tensors
from danlu.describe.override import override
from danlu.optim.lbfgs import LBFGS

ROWS, L2 = 60, 0.01


def logistic() -> nn.Module:
    return nn.Linear(6, 3)


def penalised(model: nn.Module, batch):
    """Cross-entropy with a small penalty, so that there is one lowest point."""
    from danlu.core import Loss

    penalty = sum(p.square().sum() for p in model.parameters())
    error = F.cross_entropy(model(batch.inputs), batch.targets, reduction="sum")
    return Loss({"error": (error, "rows"), "penalty": (L2 * penalty, "once")})


EXACT = LBFGS(tolerance_grad=1e-12, tolerance_change=1e-14)


def recipe(**fields):
    return toys.recipe(model=logistic, data=lambda: toys.made(ROWS), batch_size=ROWS, loss=penalised, **{"optimizer": EXACT, **fields})


def test_it_ends_where_scipys_does():
    x, y = toys.made(ROWS).train.fetch(torch.arange(ROWS), 0)
    x = x.double()

    def value(flat: np.ndarray):
        w = torch.tensor(flat, requires_grad=True)
        total = F.cross_entropy(x @ w[:18].view(3, 6).T + w[18:], y) + L2 * w.square().sum()
        (grad,) = torch.autograd.grad(total, w)
        return total.item(), grad.numpy()

    found = minimize(value, np.zeros(21), jac=True, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-10})
    with Run(recipe()) as run:
        losses = [float(report.loss) for report in run]
        mine = torch.cat([run.model.weight.flatten(), run.model.bias]).detach().numpy()
    assert np.abs(mine - found.x).max() < 1e-5
    assert all(later <= earlier + 1e-12 for earlier, later in pairwise(losses))


@pytest.mark.parametrize("micro", [7, 20])
def test_accumulation_takes_the_same_path(micro):
    assert toys.apart(trained(), trained(micro_batch_size=micro)) < 1e-9


def trained(**fields) -> Run:
    run = Run(recipe(**{"optimizer": LBFGS(max_iter=5), "steps": 3, **fields}))
    for _ in run:
        pass
    return run


def test_a_quadratic_ends_at_the_closed_form():
    g = torch.Generator().manual_seed(0)
    x, w = torch.randn(40, 5, generator=g).double(), torch.randn(5, 1, generator=g).double()
    data = lambda: Data(Tensors(x, (x @ w)[:, 0]), Facts("regress", (5,), 1, rows=40))
    made = toys.recipe(model=lambda: nn.Linear(5, 1), data=data, loss=F.mse_loss, batch_size=40, optimizer=EXACT, steps=4)
    with Run(made) as run:
        for _ in run:
            pass
        assert torch.allclose(run.model.weight.T, w, atol=1e-6) and abs(float(run.model.bias.detach())) < 1e-6


class Uphill(torch.autograd.Function):
    """A gradient of the wrong sign."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        return -g


def test_a_line_search_that_finds_nothing_lower_says_so_once_and_moves_nothing():
    class Wrong(nn.Linear):
        def forward(self, x):
            return Uphill.apply(super().forward(x))

    run = Run(toys.recipe(model=lambda: Wrong(6, 3), optimizer=LBFGS(), batch_size=40, steps=3))
    before = toys.state(run)
    with pytest.warns(UserWarning, match="step 1: the line search found no lower loss") as said:
        list(run)
    assert len(said) == 1 and all(torch.equal(value, before[name]) for name, value in toys.state(run).items())


def test_at_the_lowest_point_nothing_is_said(recwarn):
    run = trained(optimizer=LBFGS(max_iter=60, tolerance_grad=1e-6), steps=6)
    before = toys.state(run)
    run.total = 7
    (report,) = list(run)
    assert report.outcome.moved and all(torch.equal(value, before[name]) for name, value in toys.state(run).items()) and not recwarn.list


def cliff(output, target):
    """A cross-entropy that is NaN where a score is larger than 3."""
    return F.cross_entropy(output, target, reduction="none") + torch.where(output.abs().amax(1) > 3, torch.nan, 0.0)


@pytest.mark.parametrize("lr", [1.0, 50.0])
def test_strong_wolfe_backs_off_where_numbers_are_not_finite(lr):
    losses = [float(report.loss) for report in Run(toys.recipe(model=logistic, optimizer=LBFGS(lr=lr), batch_size=40, loss=cliff, steps=4))]
    assert all(later < earlier for earlier, later in pairwise(losses))


def test_a_step_that_ends_where_numbers_are_not_finite_is_undone_and_named():
    run = Run(toys.recipe(model=logistic, optimizer=LBFGS(lr=50.0, line_search="none", max_iter=1), batch_size=40, loss=cliff, steps=3))
    before = toys.state(run)
    for report in run:
        assert not report.outcome.moved and "nonfinite_in" in report.metrics
        assert all(torch.equal(value, before[name]) for name, value in toys.state(run).items())


def test_it_is_one_word_of_a_recipe():
    made = override(toys.recipe(), ["optimizer=lbfgs", "optimizer.max_iter=4", "optimizer.line_search=none"], [], [])
    assert made.optimizer == LBFGS(max_iter=4, line_search="none")


def test_sparse_and_complex_parameters_are_moved():
    rows, turn = nn.Embedding(5, 3, sparse=True), nn.Parameter(torch.tensor([1 + 1j, 2 - 1j]))
    optimizer = LBFGS()([rows.weight, turn])
    ids = torch.arange(5)

    def look():
        optimizer.zero_grad()
        loss = (rows(ids) - 2).square().sum() + (turn - 1j).abs().square().sum()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(look)
    assert look().item() < 1e-9
