"""The average against its closed form, and what becomes of buffers, skipped steps and loaded weights."""

import itertools

import pytest
import torch
import toys

from danlu.core import Run
from danlu.techniques.update.ema import EMA


def course(run):
    """The weights at the start and after each step."""
    yield {name: p.detach().clone() for name, p in run.model.named_parameters()}
    for _ in run:
        yield {name: p.detach().clone() for name, p in run.model.named_parameters()}


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9, 1.0])
def test_the_closed_form(decay):
    """d^n w_0 + (1 - d) sum_k d^(n - k) w_k"""
    run = Run(toys.recipe(EMA(decay=decay, warmup=False), steps=10))
    start, *steps = course(run)
    for name, average in run.kept_weights().items():
        n = len(steps)
        wanted = decay**n * start[name] + (1 - decay) * sum(decay ** (n - k) * step[name] for k, step in enumerate(steps, 1))
        assert torch.allclose(average, wanted, rtol=0, atol=1e-13)


def test_the_warmup_lets_the_decay_rise():
    run = Run(toys.recipe(EMA(decay=0.3), steps=10))
    start, *steps = course(run)
    for name, average in run.kept_weights().items():
        wanted = start[name]
        for moves, step in enumerate(steps):
            decay = min(0.3, (1 + moves) / (10 + moves))
            wanted = decay * wanted + (1 - decay) * step[name]
        assert torch.allclose(average, wanted, rtol=0, atol=1e-13)


def test_torchs_own_average_agrees():
    run = Run(toys.recipe(EMA(decay=0.9, warmup=False), model=toys.batch_normed, steps=8))
    multi = torch.optim.swa_utils.get_ema_multi_avg_fn(0.9)
    theirs = [p.detach().clone() for p in run.model.parameters()]
    for _ in run:
        with torch.no_grad():
            multi(theirs, list(run.model.parameters()), 1)
    mine = run.kept_weights()
    assert all(torch.allclose(mine[name], own, atol=1e-13) for (name, _), own in zip(run.model.named_parameters(), theirs))
    assert all(torch.equal(mine[name], own) for name, own in run.model.named_buffers())  # buffers are copied as they are


def test_a_skipped_step_does_not_count():
    run = Run(toys.recipe(toys.Spoil(at=(1, 2)), EMA(decay=0.5, warmup=False), steps=4))
    averages = []
    for _ in run:
        averages.append({name: value.clone() for name, value in run.kept_weights().items()})
    same = [all(torch.equal(a[name], b[name]) for name in a) for a, b in itertools.pairwise(averages)]
    assert same == [True, True, False] and run.techniques[1].moves == 2


def test_until_the_first_move_the_average_is_the_weights_whoever_loads_some():
    run = Run(toys.recipe(EMA(decay=0.5, warmup=False)))
    assert torch.equal(run.kept_weights()["0.weight"], run.model[0].weight)
    run.placement.load_weights(run.model, {"0.weight": torch.full((8, 6), 3.0)})
    assert torch.equal(run.kept_weights()["0.weight"], run.model[0].weight)
    next(iter(run))
    assert torch.allclose(run.kept_weights()["0.weight"], 0.5 * (3.0 + run.model[0].weight.detach()), atol=1e-14)


def test_training_is_as_if_it_were_not_there():
    assert toys.apart(toys.trained(EMA(decay=0.1), model=toys.batch_normed), toys.trained(model=toys.batch_normed)) == 0.0
