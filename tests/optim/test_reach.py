"""What an optimiser says that it must see together is what it must see together."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from danlu.find import catalogue
from danlu.optim.parted import Parted
from danlu.optim.reach import reach

OPTIMISERS = {found.name: found.load() for found in catalogue("optimizer", others=False)}


def moved(kind: Any, rows: slice, beside: float) -> tuple[str, torch.Tensor]:
    """What an optimiser says, and the rows of a hidden matrix after some steps over these rows alone, other weights moving as `beside`."""
    draw = torch.Generator().manual_seed(0)
    start = torch.randn(9, 6, generator=draw)
    slopes = [torch.randn(9, 6, generator=draw) for _ in range(12)]
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 6), nn.Linear(6, 9), nn.Linear(9, 2))
    model[1].weight = nn.Parameter(start[rows].clone())
    described = kind()
    optimizer = described(described.groups(model))
    for slope in slopes:
        model[1].weight.grad, model[0].weight.grad = slope[rows].clone(), torch.full((6, 2), beside)
        optimizer.step()
    return reach(optimizer), model[1].weight.detach()


@pytest.mark.parametrize("name", [name for name in OPTIMISERS if name != "lbfgs"])
def test_it_is_what_it_says(name):
    """Half of a matrix moves as it does in the whole, or it does not; and as it does beside other weights that move otherwise, or not."""
    said, whole = moved(OPTIMISERS[name], slice(0, 9), 1.0)
    half, other = moved(OPTIMISERS[name], slice(0, 4), 1.0)[1], moved(OPTIMISERS[name], slice(0, 9), -30.0)[1]
    by_number, by_tensor = (float((a - b).abs().max()) < 1e-7 for a, b in ((whole[:4], half), (whole, other)))
    assert said == ("number" if by_number and by_tensor else "tensor" if by_tensor else "model")


def test_an_optimiser_that_says_nothing_sees_the_whole_model():
    class Own(torch.optim.SGD):
        pass

    p = nn.Parameter(torch.ones(2))
    assert reach(Own([p])) == reach(torch.optim.LBFGS([p])) == "model"
    assert reach(Parted([torch.optim.SGD([p]), torch.optim.Adafactor([nn.Parameter(torch.ones(2))])])) == "tensor"
