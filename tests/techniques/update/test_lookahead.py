"""Lookahead against the paper's algorithm 1, around torch's SGD in a loop written by hand."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
import toys

import danlu
from danlu.core import Run
from danlu.run.train import train
from danlu.techniques.update.lookahead import Lookahead


@pytest.mark.parametrize("every,share", [(1, 0.5), (3, 0.8), (5, 0.0)])
def test_the_algorithm(every, share):
    run = Run(toys.recipe(Lookahead(every, share), steps=8))
    model = toys.twin(run)
    weights = list(model.parameters())
    optimizer = toys.sgd(momentum=0.9)(weights)
    slow = [p.detach().clone() for p in weights]
    for step, _ in enumerate(run):
        x, y = toys.rows_of(run, step)
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
        if (step + 1) % every == 0:
            for s, p in zip(slow, weights):
                s += share * (p.detach() - s)
                p.data.copy_(s)
    assert max(float((p - q).abs().max()) for p, q in zip(weights, run.model.parameters())) < 1e-12
    kept = run.kept_weights()
    assert all(torch.allclose(kept[name], s, atol=1e-12) for (name, _), s in zip(run.model.named_parameters(), slow))


def test_buffers_are_the_models_own_and_a_skipped_step_does_not_count():
    run = toys.trained(toys.Spoil(at=(1,)), Lookahead(every=2), model=toys.batch_normed, steps=4)
    assert run.techniques[1].moves == 3
    assert all(torch.equal(run.kept_weights()[name], own) for name, own in run.model.named_buffers())


def test_a_loaded_checkpoint_has_the_slow_weights(tmp_path):
    recipe = replace(danlu.load_recipe("wine"), techniques=(Lookahead(every=3),), steps=10, epochs=None, device="cpu")
    train(recipe, tmp_path / "run")
    run = Run(recipe)
    for _ in run:
        pass
    held = danlu.load(f"{tmp_path / 'run'}@latest", device="cpu").module.state_dict()
    assert all(torch.equal(held[name], value) for name, value in run.kept_weights().items())
    assert any(not torch.equal(held[name], value) for name, value in toys.state(run).items())
