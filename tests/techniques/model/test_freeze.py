"""What is frozen stays bit for bit and costs the optimiser nothing; the rest trains as a loop by hand would have it."""

import pytest
import torch
import torch.nn.functional as F
import toys
from torch import nn

from danlu.core import Run
from danlu.errors import BadInput, Refused
from danlu.techniques.model.freeze import Freeze


def net():
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Linear(8, 3))


@pytest.mark.parametrize("norms", [True, False])
def test_by_hand(norms):
    run = Run(toys.recipe(Freeze(("0.*", "1.*"), norms), model=net, steps=6))
    start = toys.state(run)
    theirs = net().double()
    theirs.load_state_dict(start)
    for module in theirs[:2]:
        module.requires_grad_(False)
    if norms:
        theirs[1].eval()
    optimizer = toys.sgd(momentum=0.9)([p for p in theirs.parameters() if p.requires_grad])
    for step, _ in enumerate(run):
        x, y = toys.rows_of(run, step)
        optimizer.zero_grad()
        F.cross_entropy(theirs(x), y).backward()
        optimizer.step()
    own = toys.state(run)
    assert all(torch.allclose(own[name], value, atol=1e-12) for name, value in theirs.state_dict().items())
    assert all(torch.equal(own[name], start[name]) for name in ("0.weight", "0.bias", "1.weight"))
    assert torch.equal(own["1.running_mean"], start["1.running_mean"]) == norms
    assert sum(len(group["params"]) for group in run.optimizer.param_groups) == 6 and len(run.optimizer.state) == 6


def test_a_pattern_that_fits_nothing():
    with pytest.raises(BadInput, match=r"embed\*.*0\.weight"):
        Run(toys.recipe(Freeze(("embed*",))))


def test_everything_frozen():
    with pytest.raises(Refused):
        Run(toys.recipe(Freeze(("*",))))
