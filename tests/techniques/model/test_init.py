"""Initialisation: the formulas' own deviations, activations that keep their scale, and names that are checked."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
import toys
from torch import nn

from danlu.core import Run
from danlu.errors import BadInput, Refused
from danlu.techniques.model.init import Init
from danlu.techniques.model.lsuv import LSUV

torch.set_num_threads(1)
IN, OUT = 6, 3  # of the toys' data


def deep(activation=nn.ReLU, width: int = 256, depth: int = 20):
    def made() -> nn.Module:
        sizes = [IN, *[width] * depth]
        layers = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), activation())]
        return nn.Sequential(*layers, nn.Linear(width, OUT))

    return made


def started(technique, model) -> nn.Module:
    return Run(toys.recipe(technique, model=model)).model.requires_grad_(False)


@pytest.mark.parametrize(
    "scheme, deviation",
    [
        ("xavier_uniform", math.sqrt(2 / (300 + 200))),
        ("xavier_normal", math.sqrt(2 / (300 + 200))),
        ("he_uniform", math.sqrt(2 / 300)),
        ("he_normal", math.sqrt(2 / 300)),
        ("orthogonal", math.sqrt(1 / 300)),  # 200 orthonormal rows of 300 numbers
        ("truncated_normal", 0.02 * 0.8796),  # of a normal cut at two deviations
    ],
)
@pytest.mark.parametrize("gain", [None, 3.0])
def test_the_deviation_is_the_papers(scheme, deviation, gain):
    net = started(Init(scheme=scheme, gain=gain), lambda: nn.Sequential(nn.Linear(IN, 300), nn.Linear(300, 200), nn.Linear(200, OUT)))
    factor = 1.0 if gain is None else gain / math.sqrt(2) if scheme.startswith("he") else gain
    assert float(net[1].weight.std()) == pytest.approx(deviation * factor, rel=0.02)
    assert float(net[1].weight.mean()) == pytest.approx(0, abs=3 * deviation * factor / math.sqrt(300 * 200))
    assert not net[1].bias.any()
    if scheme == "orthogonal":
        product = net[1].weight @ net[1].weight.T
        assert torch.allclose(product, torch.eye(200).double() * factor**2, atol=1e-4)
    if scheme == "truncated_normal":
        assert float(net[1].weight.abs().max()) <= 0.04 * factor


def test_he_keeps_the_scale_through_twenty_relu_layers_where_xavier_loses_it():
    """Each ReLU halves the second moment (He et al. 2015): Xavier loses a factor of two a layer, He none; the draws are the same ones."""
    x = torch.randn(512, IN, generator=torch.Generator().manual_seed(0)).double()
    moments = {scheme: started(Init(scheme=scheme), deep())[:-1](x).square().mean().log2() for scheme in ("he_normal", "xavier_normal")}
    assert abs(float(moments["he_normal"])) < 2.5
    lost = 19 + math.log2((IN + 256) / IN)  # the first layer has another shape
    assert float(moments["xavier_normal"]) == pytest.approx(float(moments["he_normal"]) - lost, abs=1e-6)


def test_an_orthogonal_linear_net_keeps_every_length():
    x = torch.randn(9, IN, generator=torch.Generator().manual_seed(0)).double()
    net = started(Init(scheme="orthogonal"), deep(nn.Identity))[:-1]
    assert torch.allclose(net(x).norm(dim=1), x.norm(dim=1), rtol=1e-4)


def test_the_ends_of_branches_are_divided_by_the_root_of_their_number():
    def net():
        return nn.Sequential(
            nn.Linear(IN, 64), *[nn.Sequential(nn.Linear(64, 64), nn.Linear(64, 64)) for _ in range(4)], nn.Linear(64, OUT)
        )

    plain, scaled = started(Init(), net), started(Init(branch_ends=("?.1",)), net)
    assert torch.equal(plain[1][0].weight, scaled[1][0].weight) and torch.equal(plain[0].weight, scaled[0].weight)
    assert all(torch.allclose(plain[i][1].weight / 2, scaled[i][1].weight) for i in range(1, 5))


def test_only_the_named_layers_are_drawn_and_a_name_that_fits_none_is_refused():
    plain, some = Run(toys.recipe(model=deep())).model, started(Init(layers=("0",)), deep())
    assert not torch.equal(plain[0].weight, some[0].weight) and torch.equal(plain[2].weight, some[2].weight)
    for field in ("layers", "branch_ends"):
        with pytest.raises(BadInput, match=rf"init.{field}: no linear or convolution layer is called `heads`; found: 0, 2"):
            started(Init(**{field: ("heads",)}), deep())


def test_seeds_and_names_decide_the_draw():
    same = [started(Init(), deep()) for _ in range(2)]
    assert all(torch.equal(a, b) for a, b in zip(same[0].state_dict().values(), same[1].state_dict().values()))
    other = Run(toys.recipe(Init(), model=deep(), seed=5)).model
    assert not torch.equal(other[0].weight, same[0][0].weight) and not torch.equal(same[0][2].weight, same[0][4].weight)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh, nn.SiLU])
def test_lsuv_gives_every_layer_unit_variance_on_the_data(activation):
    run = Run(toys.recipe(LSUV(tolerance=1e-3, rows=40), model=deep(activation, 64, 8)))
    x, _ = run.data.train.fetch(torch.arange(40), 0)
    seen = []
    for module in run.model:
        if isinstance(module, nn.Linear):
            module.register_forward_hook(lambda layer, args, output: seen.append(float(output.detach().var())))
    run.model.eval()(x.to(run.model[0].weight.dtype))
    assert len(seen) == 9 and all(abs(variance - 1) < 1e-2 for variance in seen)


def test_lsuv_on_a_layer_that_says_nothing_is_refused():
    class Dead(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(IN, 4), nn.Linear(4, OUT)

        def forward(self, x):
            return self.last(self.first(x) * 0)

    with pytest.raises(Refused, match="layer `last` are the same for all of the first"):
        started(LSUV(), Dead)
