"""Clipping against torch's."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
import toys
from torch import nn

from danlu.core import Run
from danlu.techniques.gradient.clip import Clip


def looked(run):
    """The gradient that one look leaves."""
    batches = run._take(iter(run.placement.stream(run.data.train, run.plan, run.step, run.total)))
    run.placement.begin()
    run.gradient(run.objective, batches)
    return [p.grad.clone() for p in run.trainable()]


@pytest.mark.parametrize("precision, close", [("fp64", 1e-15), ("fp32", 1e-7)])
@pytest.mark.parametrize("limit", [1e-3, 0.1, 1.0, 1e3])
@pytest.mark.parametrize("micro", [None, 4])
def test_clip_grad_norm(precision, close, limit, micro):
    fields = {"precision": precision, "micro_batch_size": micro}
    raw, mine = looked(Run(toys.recipe(**fields))), looked(Run(toys.recipe(Clip(max_norm=limit), **fields)))
    theirs = [nn.Parameter(torch.zeros_like(g)) for g in raw]
    for p, g in zip(theirs, raw):
        p.grad = g.clone()
    norm = nn.utils.clip_grad_norm_(theirs, limit)
    for own, p in zip(mine, theirs):
        # torch divides by norm + 1e-6, which is 1e-6 / norm off the norm that was asked for
        assert torch.allclose(own, p.grad, rtol=2e-6 / norm.item() + 10 * close, atol=0)
    if norm < limit:
        assert all(map(torch.equal, mine, raw))
    else:
        assert torch.cat([g.flatten() for g in mine]).norm().item() == pytest.approx(limit, rel=10 * close)


def test_a_training_with_clipping_written_by_hand():
    run = Run(toys.recipe(Clip(max_norm=0.3), steps=10))
    model = toys.twin(run)
    optimizer = toys.sgd(momentum=0.9)(model.parameters())
    for step, _ in enumerate(run):
        x, y = toys.rows_of(run, step)
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm()
        for p in model.parameters():
            p.grad *= min(1.0, 0.3 / norm.item())
        optimizer.step()
    assert max((p - q).abs().max().item() for p, q in zip(run.model.parameters(), model.parameters())) < 1e-12


def test_a_gradient_of_zero_stays_zero():
    zero = lambda model, batch: (model(batch.inputs) * 0).sum()
    assert all((g == 0).all() for g in looked(Run(toys.recipe(Clip(max_norm=1e-9), loss=zero))))


def test_no_gradient_at_all():
    run = Run(toys.recipe(Clip(), loss=lambda model, batch: model(batch.inputs).detach().sum(), steps=1))
    before = toys.state(run)
    list(run)
    assert all(torch.equal(value, before[name]) for name, value in toys.state(run).items())


def test_a_limit_without_end_changes_no_bit():
    assert toys.apart(toys.trained(Clip(max_norm=math.inf)), toys.trained()) == 0.0
    assert toys.apart(toys.trained(Clip(max_norm=1e9)), toys.trained()) == 0.0


def test_list_order_says_what_is_clipped():
    """Outside of SAM the climbed gradient is clipped; inside it both looks are, and the climb sees the clipped one."""
    from danlu.techniques.gradient.sam import SAM

    outside = looked(Run(toys.recipe(Clip(max_norm=0.01), SAM(rho=0.5))))
    inside = looked(Run(toys.recipe(SAM(rho=0.5), Clip(max_norm=0.01))))
    plain = looked(Run(toys.recipe(SAM(rho=0.5))))
    norm = torch.cat([g.flatten() for g in plain]).norm()
    assert all(torch.allclose(a, b * 0.01 / norm, rtol=1e-12) for a, b in zip(outside, plain))
    assert all(torch.allclose(a, b, rtol=1e-9) for a, b in zip(inside, outside))  # the climb is along the direction alone
    assert copy.copy(Clip()) == Clip(max_norm=1.0)
