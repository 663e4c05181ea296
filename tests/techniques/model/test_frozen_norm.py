"""Frozen norms train as norms in eval mode do, in any split."""

import pytest
import torch
import torch.nn.functional as F
import toys
from torch import nn

from danlu.core import Run
from danlu.techniques.model.frozen_norm import FrozenBatchNorm, FrozenNorm


def pretrained():
    net = toys.batch_normed()
    net[1].running_mean.copy_(torch.linspace(-1, 1, 8)), net[1].running_var.copy_(torch.linspace(0.5, 2, 8))
    return net


@pytest.mark.parametrize("affine", [True, False])
def test_a_loop_by_hand_in_eval_mode(affine):
    run = Run(toys.recipe(FrozenNorm(affine), model=pretrained, steps=6))
    start = {name: value.clone() for name, value in run.model.state_dict().items()}
    theirs = pretrained().double()
    theirs.load_state_dict(start)
    theirs.eval()
    theirs[1].requires_grad_(affine)
    optimizer = toys.sgd(momentum=0.9)([p for p in theirs.parameters() if p.requires_grad])
    for step, _ in enumerate(run):
        x, y = toys.rows_of(run, step)
        optimizer.zero_grad()
        F.cross_entropy(theirs(x), y).backward()
        optimizer.step()
    own = run.model.state_dict()
    assert own.keys() == theirs.state_dict().keys()
    assert all(torch.allclose(own[name], value, atol=1e-12) for name, value in theirs.state_dict().items())
    assert torch.equal(own["1.running_mean"], start["1.running_mean"])


def test_micro_batches_are_allowed_and_change_nothing():
    whole, split = (toys.trained(FrozenNorm(), model=pretrained, micro_batch_size=micro) for micro in (None, 2))
    assert toys.apart(whole, split) < 1e-12


def test_a_norm_alone_and_one_without_statistics():
    assert isinstance(Run(toys.recipe(FrozenNorm(), model=lambda: nn.BatchNorm1d(6), loss=lambda o, y: o.sum(1))).model, FrozenBatchNorm)
    run = Run(toys.recipe(FrozenNorm(), model=lambda: nn.Sequential(nn.BatchNorm1d(6, track_running_stats=False), nn.Linear(6, 3))))
    assert isinstance(run.model[0], nn.BatchNorm1d)
