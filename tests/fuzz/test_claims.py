"""The claims that random recipes are held to can fail: for each there is a recipe that breaks it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import nn

from danlu.core import Loss, Recipe, Technique
from danlu.errors import BadInput, Trouble
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD
from danlu.optim.lion import Lion
from danlu.techniques.gradient.clip import Clip
from danlu.techniques.stream.mixup import MixUp
from fuzz import claims
from fuzz.drawing import Tiny

PLAIN = Recipe(model=MLP(hidden=(8,), dropout=0.3), data=Tiny("wine", 33), optimizer=SGD(), steps=6, batch_size=8, device="cpu")


def torchs_dropout() -> nn.Module:
    """Keyed by micro-batch: what it drops depends on how a batch is split."""
    return nn.Sequential(nn.Linear(13, 8), nn.Dropout(0.3), nn.Linear(8, 3))


@dataclass
class EachPart(Technique):
    """Weighs a micro-batch by its place in the step: right in one, wrong in several."""

    def wrap_objective(self, objective: Any, run: Any) -> Any:
        def weighed(model: Any, batch: Any) -> Loss:
            share = 1.0 + 1e-7 * batch.place
            return Loss({name: (value * share, per) for name, (value, per) in objective(model, batch).terms.items()})

        return weighed


@dataclass
class LastPart(Technique):
    """Moves the weights by how the batch was split, once the gradient is taken."""

    def wrap_update(self, update: Any, run: Any) -> Any:
        def moved(evaluate: Any) -> Any:
            outcome = update(evaluate)
            with torch.no_grad():
                run.trainable()[0].add_(1e-8 * run.plan.micro_count())
            return outcome

        return moved


@pytest.mark.parametrize("technique", [None, Clip(max_norm=0.1), MixUp(alpha=1.0)])
def test_what_does_not_depend_on_the_split(technique):
    assert claims.same_split(replace(PLAIN, techniques=(technique,) if technique else ()), 2) is True


@pytest.mark.parametrize("fields", [{"model": torchs_dropout}, {"techniques": (EachPart(),)}])
def test_a_gradient_that_depends_on_the_split_is_caught(fields):
    with pytest.raises(AssertionError, match="gradients of step 0"):
        claims.same_split(replace(PLAIN, **fields), 4)


def test_an_update_that_depends_on_the_split_is_caught():
    with pytest.raises(AssertionError, match="apart, where rounding makes"):
        claims.same_split(replace(PLAIN, techniques=(LastPart(),)), 4)


def test_where_rounding_decides_the_gradients_are_the_claim():
    """Lion takes the sign of a gradient that is nothing but rounding: that of a bias before a norm that subtracts the mean."""
    biased = replace(PLAIN, model=lambda: nn.Sequential(nn.Linear(13, 8), nn.Softmax(1), nn.Linear(8, 3)), optimizer=Lion(lr=1e-2))
    assert claims.same_split(biased, 4) in (True, False)
    with pytest.raises(AssertionError, match="gradients of step"):
        claims.same_split(replace(biased, techniques=(EachPart(),)), 4)


def test_where_no_split_is_taken_there_is_no_claim():
    assert claims.same_split(replace(PLAIN, techniques=(MixUp(alpha=1.0),), batch_size=2), 1) is None


def test_a_loss_that_is_not_finite_is_caught():
    diverging = replace(PLAIN, optimizer=SGD(lr=1e38))
    with pytest.raises(AssertionError, match="not finite at steps"):
        claims.trains(diverging, 2)
    assert not isinstance(claims.trains(diverging, 2, finite=False), Trouble)


def test_what_has_no_data_form_is_caught():
    claims.comes_back(PLAIN)
    with pytest.raises(BadInput):
        claims.comes_back(replace(PLAIN, model=torchs_dropout))
    with pytest.raises(BadInput, match="steps"):
        claims.comes_back(replace(PLAIN, steps=6.5))
