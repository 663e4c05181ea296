"""SWA against torch's: AveragedModel for the weights, update_bn for the statistics."""

import pytest
import torch
import toys
from torch import nn
from torch.optim.swa_utils import AveragedModel, update_bn

from danlu.core import Run
from danlu.techniques.model.ghost_norm import GhostNorm
from danlu.techniques.update.swa import SWA
from danlu.testing.compare import same, weights


@pytest.mark.parametrize("restate", [True, False])
def test_torch(restate):
    run = Run(toys.recipe(SWA(start=0.5, every=2, restate=restate), model=toys.batch_normed, steps=10))
    theirs = None
    for report in run:
        if report.step > 5 and report.step % 2 == 0:
            theirs = theirs or AveragedModel(toys.twin(run))
            theirs.update_parameters(run.model)
            last = {name: b.clone() for name, b in run.model.named_buffers()}
    assert run.techniques[0].taken == 3
    kept = run.kept_weights()
    assert all(torch.allclose(kept[name], p, atol=1e-14) for name, p in theirs.module.named_parameters())
    if restate:
        stream = run.placement.stream(run.data.train, run.plan, 5, 10)  # the second epoch of five steps
        update_bn([batch.inputs for batch in stream], theirs)
        assert all(torch.allclose(kept[name], b, atol=1e-14) for name, b in theirs.module.named_buffers() if b.is_floating_point())
    else:
        assert all(torch.equal(kept[name], b) for name, b in last.items())


def test_the_default_is_once_an_epoch_and_the_last_step_counts():
    run = toys.trained(SWA(start=0.0), steps=12)  # five steps an epoch
    assert run.techniques[0].taken == 3


def test_training_is_as_if_it_were_not_there():
    with_it, without = Run(toys.recipe(SWA(0.2, 1), model=toys.batch_normed)), Run(toys.recipe(model=toys.batch_normed))
    for _ in zip(with_it, without, strict=True):
        assert same(weights(with_it), weights(without))
    assert with_it.model.training and all(m.momentum == 0.1 for m in with_it.model.modules() if isinstance(m, nn.BatchNorm1d))


def test_before_the_average_the_weights_themselves_are_kept():
    run = toys.steps(Run(toys.recipe(SWA(start=0.9, every=1), steps=10)), 3)
    assert run.kept_weights() is None


def test_ghost_norms_are_measured_in_their_groups():
    run = toys.trained(GhostNorm(4), SWA(start=0.5, every=5), model=toys.batch_normed, steps=10)
    kept, model = run.kept_weights(), toys.twin(run)
    model.load_state_dict(kept)
    hidden = []
    for batch in run.placement.stream(run.data.train, run.plan, 5, 10):
        hidden += [model[0](group) for group in batch.inputs.split(4)]
    assert torch.allclose(kept["1.running_mean"], torch.stack([h.mean(0) for h in hidden]).mean(0), atol=1e-12)
    assert torch.allclose(kept["1.running_var"], torch.stack([h.var(0) for h in hidden]).mean(0), atol=1e-12)
