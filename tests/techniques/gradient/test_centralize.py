"""The mean of each unit's gradient is gone, so the mean of its weights stays."""

import pytest
import torch
import toys
from torch import nn

from danlu.core import Run
from danlu.techniques.gradient.centralize import Centralize
from danlu.testing.compare import at_step


def conv_net():
    return nn.Sequential(nn.Unflatten(1, (2, 3)), nn.Conv1d(2, 4, 2), nn.Flatten(), nn.Tanh(), nn.Linear(8, 3))


@pytest.mark.parametrize("kernels_only", [False, True])
def test_the_formula(kernels_only):
    (plain, batches), (own, own_batches) = (at_step(toys.recipe(*ts, model=conv_net), 0) for ts in ((), (Centralize(kernels_only),)))
    plain.gradient(plain.objective, batches)
    own.gradient(own.objective, own_batches)
    for p, q in zip(plain.trainable(), own.trainable()):
        wanted = p.grad
        if p.ndim == 3 or (p.ndim == 2 and not kernels_only):
            wanted = torch.stack([row - row.mean() for row in p.grad])
        torch.testing.assert_close(q.grad, wanted, rtol=1e-12, atol=1e-15)


def test_sgd_keeps_the_mean_of_each_unit():
    run = Run(toys.recipe(Centralize(), steps=8))
    start = toys.state(run)
    toys.steps(run, 8)
    for name, value in start.items():
        if value.ndim == 2:
            assert torch.allclose(value.mean(1), toys.state(run)[name].mean(1), atol=1e-14)
            assert not torch.allclose(value, toys.state(run)[name])


def test_embeddings_are_left_alone():
    class Looking(nn.Module):
        def __init__(self):
            super().__init__()
            self.look, self.head = nn.Embedding(9, 4), nn.Linear(4, 3)

        def forward(self, x):
            return self.head(self.look((x.abs() * 3).long().clamp(max=8)).mean(1))

    (plain, batches), (own, own_batches) = (at_step(toys.recipe(*ts, model=Looking), 0) for ts in ((), (Centralize(),)))
    plain.gradient(plain.objective, batches)
    own.gradient(own.objective, own_batches)
    assert torch.equal(plain.model.look.weight.grad, own.model.look.weight.grad)
