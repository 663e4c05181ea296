"""Adaptive clipping, unit by unit, against the paper's formula in plain loops."""

import pytest
import torch
import toys
from torch import nn

from danlu.techniques.gradient.agc import AGC
from danlu.testing.compare import at_step


class Convolved(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv1d(1, 4, 3), nn.Linear(16, 3)
        nn.init.zeros_(self.conv.weight[0])  # a unit of norm zero: eps is its limit

    def forward(self, x):
        return self.head(torch.tanh(self.conv(x[:, None])).flatten(1))


def by_hand(weight, grad, limit, eps):
    units = range(len(weight)) if weight.ndim > 1 else [slice(None)]
    out = grad.clone()
    for unit in units:
        w, g = max(float(weight[unit].square().sum().sqrt()), eps), float(grad[unit].square().sum().sqrt())
        if g > limit * w:
            out[unit] = grad[unit] * (limit * w / g)
    return out


@pytest.mark.parametrize("output", [False, True])
@pytest.mark.parametrize("limit", [1e-3, 0.1])
def test_the_formula(limit, output):
    (plain, batches), (own, own_batches) = (at_step(toys.recipe(*ts, model=Convolved), 0) for ts in ((), (AGC(limit, 0.01, output),)))
    plain.gradient(plain.objective, batches)
    own.gradient(own.objective, own_batches)
    clipped = 0
    for (name, p), q in zip(plain.model.named_parameters(), own.trainable()):
        wanted = p.grad if name.startswith("head") and not output else by_hand(p.detach(), p.grad, limit, 0.01)
        torch.testing.assert_close(q.grad, wanted, rtol=1e-12, atol=1e-15)
        clipped += not torch.equal(q.grad, p.grad)
    assert clipped
