"""Decay in closed form, where nothing else moves the weights, and against AdamW's own."""

import pytest
import torch
import toys

from danlu.core import Run
from danlu.optim.first_order import SGD
from danlu.optim.schedules import Linear
from danlu.techniques.update.weight_decay import WeightDecay


def nothing(model, batch):
    return model(batch.inputs).sum() * 0


@pytest.mark.parametrize("schedule", [None, Linear()])
def test_the_closed_form(schedule):
    run = Run(toys.recipe(WeightDecay(0.3), loss=nothing, optimizer=SGD(lr=0.5, momentum=0.0), schedule=schedule, steps=4))
    start = toys.state(run)
    for _ in run:
        pass
    shrunk = 1.0
    for step in range(4):
        shrunk *= 1 - 0.5 * (1 - step / 4 if schedule else 1.0) * 0.3
    for name, value in toys.state(run).items():
        torch.testing.assert_close(value, start[name] * (shrunk if name.endswith("weight") else 1.0), rtol=1e-12, atol=0)


def test_a_skipped_step_decays_nothing():
    run = Run(toys.recipe(toys.Spoil(at=(0,)), WeightDecay(0.3), steps=1))
    before = toys.state(run)
    for _ in run:
        pass
    assert all(torch.equal(value, before[name]) for name, value in toys.state(run).items())
