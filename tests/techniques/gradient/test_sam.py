"""SAM against the formula written out: g(w + rho g(w) / |g(w)|)."""

from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
import toys

from danlu.core import Run, Technique
from danlu.techniques.gradient.sam import SAM


@pytest.mark.parametrize("rho", [0.01, 0.5])
@pytest.mark.parametrize("micro", [None, 3])
def test_the_formula(rho, micro):
    run = Run(toys.recipe(SAM(rho=rho), steps=10, micro_batch_size=micro))
    model = toys.twin(run)
    weights = list(model.parameters())
    optimizer = toys.sgd(momentum=0.9)(weights)
    for step, report in enumerate(run):
        x, y = toys.rows_of(run, step)
        loss = F.cross_entropy(model(x), y)
        here = torch.autograd.grad(loss, weights)
        norm = torch.cat([g.flatten() for g in here]).norm()
        own = [p.detach().clone() for p in weights]
        with torch.no_grad():
            for p, g in zip(weights, here):
                p += rho * g / norm
        there = torch.autograd.grad(F.cross_entropy(model(x), y), weights)
        for p, old, g in zip(weights, own, there):
            p.data.copy_(old)
            p.grad = g
        optimizer.step()
        assert float(report.loss) == pytest.approx(loss.item(), abs=1e-12)  # the loss is that at the weights, not uphill
    assert max((p - q).abs().max().item() for p, q in zip(weights, run.model.parameters())) < 1e-12


def test_split_and_dropout_are_those_of_one_batch():
    """Both looks drop the same units, in any split."""
    whole, split = (toys.trained(SAM(rho=0.3), model=toys.normed, micro_batch_size=micro) for micro in (None, 3))
    assert toys.apart(whole, split) < 1e-12


def test_a_gradient_of_zero_is_no_direction():
    zero = lambda model, batch: (model(batch.inputs) * 0).sum()
    run = toys.trained(SAM(), loss=zero)
    assert all(torch.isfinite(value).all() for value in toys.state(run).values())
    none = toys.trained(SAM(), loss=lambda model, batch: model(batch.inputs).detach().sum())
    assert toys.apart(run, none) == 0.0


def test_a_point_uphill_that_is_not_finite_moves_nothing():
    @dataclass
    class Second(Technique):
        """NaN in the second look of every step."""

        def wrap_gradient(self, gradient, run):
            looks = []

            def looked(objective, batches):
                looks.append(0)
                outcome = gradient(objective, batches)
                if len(looks) % 2 == 0:
                    outcome.overflow = outcome.overflow + 1
                return outcome

            return looked

    run = Run(toys.recipe(SAM(), Second(), steps=3))
    before = toys.state(run)
    assert not any(bool(report.outcome.finite) for report in run)
    assert all(torch.equal(value, before[name]) for name, value in toys.state(run).items())


def test_an_interruption_leaves_the_weights_where_they_were():
    @dataclass
    class Interrupt(Technique):
        def wrap_objective(self, objective, run):
            calls = []

            def interrupted(model, batch):
                calls.append(0)
                if len(calls) == 2:
                    raise KeyboardInterrupt
                return objective(model, batch)

            return interrupted

    run = Run(toys.recipe(SAM(rho=5.0), Interrupt()))
    before = toys.state(run)
    with pytest.raises(KeyboardInterrupt):
        next(iter(run))
    assert all(torch.equal(value, before[name]) for name, value in toys.state(run).items())
