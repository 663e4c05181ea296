"""SGD, Adam and AdamW against their formulas, written out in NumPy, on a quadratic in float64."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from danlu.errors import BadInput
from danlu.optim.first_order import SGD, Adam, AdamW
from danlu.optim.lion import Lion

torch.set_num_threads(1)
CURVE = np.linspace(0.5, 3.0, 40)  # f(x) = sum(CURVE * x^2) / 2, so the gradient is CURVE * x
START = np.cos(np.arange(40.0))


def descend(description, steps=20):
    p = nn.Parameter(torch.tensor(START))
    optimizer = description([("x", p)])
    for _ in range(steps):
        p.grad = torch.tensor(CURVE) * p.detach()
        optimizer.step()
    return p.detach().numpy()


def sgd(x, steps=20, lr=0.1, momentum=0.0, nesterov=False, weight_decay=0.0, dampening=0.0):
    velocity = None
    for _ in range(steps):
        g = CURVE * x + weight_decay * x
        velocity = g if velocity is None else momentum * velocity + (1 - dampening) * g
        x = x - lr * (g + momentum * velocity if nesterov else velocity if momentum else g)
    return x


def adam(x, steps=20, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, coupled=0.0, decoupled=0.0):
    m = v = 0.0
    for t in range(1, steps + 1):
        g = CURVE * x + coupled * x
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        x = x - lr * decoupled * x - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return x


@pytest.mark.parametrize("fused", ["auto", "on", "off"])
@pytest.mark.parametrize(
    "options",
    [{"momentum": 0.0}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}, {"momentum": 0.5, "dampening": 0.3}],
)
def test_sgd(options, fused):
    np.testing.assert_allclose(descend(SGD(lr=0.1, fused=fused, **options)), sgd(START, **options), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("fused", ["auto", "on", "off"])
def test_adam_couples_its_decay_and_adamw_does_not(fused):
    settings = {"lr": 0.05, "beta1": 0.8, "beta2": 0.95, "eps": 1e-6}
    np.testing.assert_allclose(descend(Adam(weight_decay=0.1, fused=fused, **settings)), adam(START, coupled=0.1, **settings), rtol=1e-12)
    np.testing.assert_allclose(
        descend(AdamW(weight_decay=0.1, fused=fused, **settings)), adam(START, decoupled=0.1, **settings), rtol=1e-12
    )


@pytest.mark.parametrize("momentum,dampening", [(0.0, 0.0), (0.9, 0.1)])
def test_nesterov_without_momentum(momentum, dampening):
    with pytest.raises(BadInput, match="nesterov"):
        SGD(momentum=momentum, dampening=dampening, nesterov=True)([("x", nn.Parameter(torch.ones(2)))])


@pytest.mark.parametrize("description", [SGD(weight_decay=0.1), Adam(weight_decay=0.1), AdamW(), Lion()])
def test_groups_reach_the_optimizer_and_stay_as_they_were(description):
    model = nn.Linear(3, 2)
    made = description.groups(model)
    before = copy.deepcopy([{**group, "params": [name for name, _ in group["params"]]} for group in made])
    optimizer = description(made)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [description.weight_decay, 0.0]
    assert [group["param_names"] for group in optimizer.param_groups] == [["weight"], ["bias"]]
    assert [{**group, "params": [name for name, _ in group["params"]]} for group in made] == before


@pytest.mark.parametrize("description", [SGD(), Adam(), AdamW(), Lion()])
def test_state_round_trip_is_bit_for_bit(description):
    def step(model, optimizer, k):
        for p in model.parameters():
            p.grad = torch.sin(p.detach() * 7 + k)
        optimizer.step()

    torch.manual_seed(0)
    one = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4, 2)).to(memory_format=torch.channels_last)
    first = description(description.groups(one))
    for k in range(3):
        step(one, first, k)
    saved = copy.deepcopy(first.state_dict())
    for state in saved["state"].values():  # as they come from a file: contiguous
        state.update({key: value.contiguous() for key, value in state.items() if isinstance(value, torch.Tensor)})
    two = copy.deepcopy(one)
    second = description(description.groups(two))
    second.load_state_dict(saved)
    for k in range(3, 6):
        step(one, first, k), step(two, second, k)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters()))
