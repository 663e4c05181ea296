"""The noise has the paper's variance, fades, and depends on nothing but the seed and the step."""

import pytest
import torch
import toys
from torch import nn

from danlu.techniques.gradient.noise import Noise
from danlu.testing.compare import at_step


def wide():
    return nn.Linear(6, 3000, bias=False)


def noise(technique, step, **fields):
    recipes = (toys.recipe(*ts, model=wide, steps=step + 1, loss=lambda model, batch: model(batch.inputs).sum() * 0, **fields)
               for ts in ((), (technique,)))  # fmt: skip
    (plain, batches), (own, own_batches) = (at_step(recipe, 0) for recipe in recipes)
    for batch in (*batches, *own_batches):
        batch.step = step
    plain.gradient(plain.objective, batches)
    own.gradient(own.objective, own_batches)
    return own.trainable()[0].grad - plain.trainable()[0].grad


@pytest.mark.parametrize("step", [0, 9])
def test_its_variance(step):
    found = noise(Noise(eta=0.3, gamma=0.55), step)
    variance = 0.3 / (1 + step) ** 0.55
    count = found.numel()
    assert abs(float(found.mean())) < 5 * (variance / count) ** 0.5
    assert float(found.var()) == pytest.approx(variance, rel=5 * (2 / count) ** 0.5)


def test_its_key():
    one, again, later, other = noise(Noise(), 0), noise(Noise(), 0), noise(Noise(gamma=0.0), 1), noise(Noise(), 0, seed=1)
    assert torch.equal(one, again) and not torch.equal(one, later) and not torch.equal(one, other)


def test_a_split_batch_has_the_same_noise():
    whole, split = (toys.trained(Noise(eta=0.1), micro_batch_size=micro) for micro in (None, 3))
    assert toys.apart(whole, split) < 1e-12
