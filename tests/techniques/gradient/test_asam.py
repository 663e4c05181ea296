"""ASAM against the formula written out: g(w + rho T^2 g / |T g|) with T = |w| + eta, and 1 for biases."""

import pytest
import torch
import torch.nn.functional as F
import toys
from torch import nn

from danlu.core import Run
from danlu.techniques.gradient.asam import ASAM
from danlu.testing.compare import at_step


@pytest.mark.parametrize("micro", [None, 3])
def test_the_formula(micro):
    run = Run(toys.recipe(ASAM(rho=0.7, eta=0.02), steps=6, micro_batch_size=micro))
    model = toys.twin(run)
    weights = list(model.parameters())
    sizes = lambda: [p.detach().abs() + 0.02 if p.ndim > 1 else torch.ones_like(p) for p in weights]
    optimizer = toys.sgd(momentum=0.9)(weights)
    for step, _ in enumerate(run):
        x, y = toys.rows_of(run, step)
        here = torch.autograd.grad(F.cross_entropy(model(x), y), weights)
        norm = torch.cat([(t * g).flatten() for t, g in zip(sizes(), here)]).norm()
        own, climbs = [p.detach().clone() for p in weights], [0.7 * t**2 * g / norm for t, g in zip(sizes(), here)]
        with torch.no_grad():
            for p, climb in zip(weights, climbs):
                p += climb
        there = torch.autograd.grad(F.cross_entropy(model(x), y), weights)
        for p, old, g in zip(weights, own, there):
            p.data.copy_(old)
            p.grad = g
        optimizer.step()
    assert max((p - q).abs().max().item() for p, q in zip(weights, run.model.parameters())) < 1e-12


def test_it_does_not_depend_on_how_scales_are_shared_out():
    """(10 A) (B / 10) is the same function as A B, and has the same point uphill: the loss there is the same. SAM's is not."""

    def net(scale):
        def made():
            torch.manual_seed(0)
            net = nn.Sequential(nn.Linear(6, 8, bias=False), nn.Linear(8, 3, bias=False))
            with torch.no_grad():
                net[0].weight.mul_(scale), net[1].weight.div_(scale)
            return net

        return made

    def uphill(scale):
        losses = []

        def loss(model, batch):
            value = F.cross_entropy(model(batch.inputs), batch.targets, reduction="sum")
            losses.append(value.item())
            return value

        run, batches = at_step(toys.recipe(ASAM(rho=0.5, eta=0.0), model=net(scale), loss=loss), 0)
        losses.clear()
        run.gradient(run.objective, batches)
        return losses

    (here, there), (here10, there10) = uphill(1.0), uphill(10.0)
    assert here == pytest.approx(here10) and there == pytest.approx(there10) and there > here
