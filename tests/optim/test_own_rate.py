"""Optimisers that find their rate: what they find, that it is told, and that a schedule still counts."""

import pytest
import torch
import toys
from torch import nn

from danlu.core import Run
from danlu.optim.d_adaptation import DAdaptation
from danlu.optim.hypergradient import Hypergradient
from danlu.optim.prodigy import Prodigy
from danlu.optim.schedules import Linear

ALL = pytest.mark.parametrize("optimizer", [DAdaptation(), Prodigy(), Hypergradient()], ids=lambda o: type(o).__name__)


@pytest.mark.parametrize("description", [DAdaptation(), Prodigy()], ids=lambda o: type(o).__name__)
@pytest.mark.parametrize("distance", [0.1, 10.0, 1000.0])
def test_the_estimate_is_of_the_size_of_the_distance(description, distance):
    """From a millionth, whatever the distance; on |x - distance| the solution is that far away in every coordinate."""
    p = nn.Parameter(torch.zeros(4, dtype=torch.float64))
    optimizer = description([("p", p)])
    for _ in range(400):
        p.grad = (p.detach() - distance).sign() / 4
        optimizer.step()
    assert distance / 30 < float(optimizer.rate()) < distance * 6


def test_the_rate_rises_while_steps_agree_and_falls_while_they_do_not():
    for gradient, risen in ((lambda step: 1.0, True), (lambda step: (-1.0) ** step, False)):
        p = nn.Parameter(torch.zeros(3, dtype=torch.float64))
        optimizer = Hypergradient(lr=0.01, hyper_lr=1e-3, inner="sgd")([("p", p)])
        for step in range(5):
            p.grad = torch.full((3,), gradient(step), dtype=torch.float64)
            optimizer.step()
        assert float(optimizer.rate()) == pytest.approx(max(0.0, 0.01 + 4 * 3 * 1e-3 * (1 if risen else -1)), abs=1e-12)


@ALL
def test_it_is_told_with_what_validation_measures(optimizer):
    run = Run(toys.recipe(optimizer=optimizer, data=lambda: toys.made(held_out=8), steps=10))
    told = {report.step: float(report.metrics["rate"]) for report in run if report.metrics}
    assert list(told) == [5, 10] and told[10] == float(run.optimizer.rate()) and told[5] > 0


@ALL
def test_a_schedule_still_counts(optimizer):
    run = Run(toys.recipe(optimizer=optimizer, schedule=Linear(), steps=4, data=lambda: toys.made(held_out=8)))
    for report in run:
        assert report.lr == pytest.approx(optimizer.lr * (1 - (report.step - 1) / 4))


@ALL
def test_nothing_is_read_back(optimizer, monkeypatch):
    """On an accelerator every `item` would wait for the device."""
    p = nn.Parameter(torch.ones(4, 4))
    made = optimizer([("p", p)])
    monkeypatch.setattr(torch.Tensor, "item", None)
    monkeypatch.setattr(torch.Tensor, "__bool__", None)
    monkeypatch.setattr(torch.Tensor, "__float__", None)
    for _ in range(3):
        p.grad = torch.ones(4, 4)
        made.step()
