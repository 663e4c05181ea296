"""Factors and products against curvlinops' (values recorded by record_curvlinops.py): on dense nets, convolutions and sequences."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import toys
from torch import Tensor, nn

from danlu.core import Run
from danlu.data.source import Data, Facts, Tensors
from danlu.techniques.gradient.kfac import KFAC
from danlu.techniques.gradient.natural_gradient import NaturalGradient
from danlu.testing.compare import next_batches

from .record_curvlinops import ROWS, cases, cosines

THEIRS = json.loads(Path(__file__).with_name("curvlinops.json").read_text())["cases"]
LOSSES = {"cross_entropy": nn.functional.cross_entropy, "mse": nn.functional.mse_loss}
CASES = {name: (net, x, y, loss) for name, net, x, y, _, loss in cases()}


def at_start(name: str, technique, micro: int | None):
    net, x, y, loss = CASES[name]
    task = "regress" if y.is_floating_point() else "language" if y.dim() == 2 else "classify"
    data = Data(Tensors(x, y), Facts(task, tuple(x.shape[1:]), 3, rows=ROWS))
    run = Run(toys.recipe(technique, model=net, data=lambda: data, loss=LOSSES[loss], batch_size=ROWS, micro_batch_size=micro))
    return run, next_batches(run)


def away(mine: Tensor, theirs: Tensor) -> float:
    return float((mine - theirs).norm() / theirs.norm())


def pixels_first(layer: nn.Module) -> Tensor:
    """Where danlu's columns of A (pixel by pixel, all channels of it) are among curvlinops' (channel by channel), the bias last."""
    places = torch.arange(layer.weight[0].numel())
    if isinstance(layer, nn.Conv2d):
        places = places.view(layer.weight[0].shape).permute(1, 2, 0).flatten()
    return torch.cat([places, torch.tensor([len(places)])])


@pytest.mark.parametrize("micro", [None, 3])
@pytest.mark.parametrize("fisher", ["exact", "empirical"])
@pytest.mark.parametrize("name", CASES)
def test_the_factors_of_every_layer_are_curvlinops_own(name, fisher, micro):
    run, batches = at_start(name, KFAC(fisher=fisher), micro)
    found = run.techniques[0]._statistics(run.objective, batches, run)
    wanted = THEIRS[name][fisher]
    assert found.keys() == wanted.keys()
    for layer, own in found.items():
        theirs = {side: torch.tensor(wanted[layer][side], dtype=torch.float64) for side in ("A", "G")}
        order = pixels_first(run.model.get_submodule(layer))
        assert away(own["A"], theirs["A"][order][:, order]) < 1e-12, layer
        assert away(own["G"], theirs["G"]) < 1e-12, layer


@pytest.mark.parametrize("micro", [None, 3])
@pytest.mark.parametrize("curvature", ["exact", "gauss_newton"])
@pytest.mark.parametrize("name", CASES)
def test_products_with_the_fisher_and_the_matrix_are_curvlinops_own(name, curvature, micro):
    run, batches = at_start(name, NaturalGradient(curvature=curvature), micro)
    weights = run.trainable()
    outcome = run.placement.gradient(run.model)(run.objective, batches)
    v = cosines(sum(p.numel() for p in weights), start=11)
    parts = [part.view_as(p) for part, p in zip(v.split([p.numel() for p in weights]), weights)]
    product, by_matrix = torch.zeros_like(v), torch.zeros_like(v)
    for linear in run.techniques[0]._looks(run.objective, batches, weights, outcome, run):
        product += torch.cat([x.flatten() for x in linear.product()(parts)])
        by_matrix += linear.matrix() @ v
    wanted = torch.tensor(THEIRS[name]["product"], dtype=torch.float64)
    assert away(product, wanted) < 1e-12 and away(by_matrix, wanted) < 1e-12
