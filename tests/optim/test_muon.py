"""Which parameters Muon takes, that its updates are orthogonal, and that two optimisers are one to the loop."""

import copy

import pytest
import torch
import toys
from torch import nn

from danlu.core import Run
from danlu.errors import BadInput
from danlu.optim.groups import hidden
from danlu.optim.muon import Muon


class Everything(nn.Module):
    def __init__(self):
        super().__init__()
        self.look, self.conv, self.norm = nn.Embedding(9, 4), nn.Conv1d(4, 4, 2), nn.LayerNorm((4, 4))
        self.first, self.second, self.head = nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(6, 3)


def test_the_hidden_matrices():
    model = Everything()
    assert hidden(model) == {model.first.weight, model.second.weight}
    groups = Muon(lr=0.02, adamw_lr=0.003).groups(model)
    assert {g["name"]: ([name for name, _ in g["params"]], g["weight_decay"], g["lr"]) for g in groups} == {
        "muon/decay": (["first.weight", "second.weight"], 0.1, 0.02),
        "adamw/decay": (["conv.weight", "head.weight"], 0.1, 0.003),
        "adamw/no_decay": (
            ["look.weight", "conv.bias", "norm.weight", "norm.bias", "first.bias", "second.bias", "head.bias"], 0.0, 0.003,
        ),
    }  # fmt: skip


def test_a_head_that_shares_the_embedding():
    model = Everything()
    model.out = nn.Linear(4, 9, bias=False)
    model.out.weight = model.look.weight
    assert hidden(model) == {model.first.weight, model.second.weight, model.head.weight}


@pytest.mark.parametrize("shape", [(12, 5), (5, 12), (8, 8)])
@pytest.mark.parametrize("scale", ["adamw", "original"])
def test_the_update_is_the_orthogonal_factor_of_the_gradient(shape, scale):
    torch.manual_seed(0)
    grad = torch.randn(shape)
    p = nn.Parameter(torch.zeros(shape))
    optimizer = Muon(lr=1.0, weight_decay=0.0, momentum=0.0, scale=scale, iterations=5)([("p", p)])
    p.grad = grad.clone()
    optimizer.step()
    u, _, vh = torch.linalg.svd(grad, full_matrices=False)
    long = 0.2 * max(shape) ** 0.5 if scale == "adamw" else max(1, shape[0] / shape[1]) ** 0.5
    spectrum = torch.diagonal(u.T @ (-p.detach() / long) @ vh.T)
    assert bool(((spectrum > 0.65) & (spectrum < 1.25)).all())  # the iteration's own spread around 1 (Jordan et al. 2024)
    assert torch.allclose(u.T @ (-p.detach() / long) @ vh.T, torch.diag(spectrum), atol=0.05)


def test_a_model_without_hidden_matrices():
    with pytest.raises(BadInput, match="has none"):
        Run(toys.recipe(model=lambda: nn.Linear(6, 3), optimizer=Muon()))


def test_a_schedule_moves_both_parts_and_a_state_dict_goes_round():
    model = nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(6, 2))
    one, two = model, copy.deepcopy(model)
    first, second = (Muon()(Muon().groups(each)) for each in (one, two))

    def step(model, optimizer, k):
        for group in optimizer.param_groups:
            group["lr"] = 0.1 / (k + 1)
        for p in model.parameters():
            p.grad = torch.sin(p.detach() * 7 + k)
        optimizer.step()

    for k in range(3):
        step(one, first, k)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    two.load_state_dict(one.state_dict())
    for k in range(3, 6):
        step(one, first, k), step(two, second, k)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters()))
    assert all(part.param_groups[0]["lr"] == 0.1 / 6 for part in second.parts)
