"""Stages: weights and named state are handed on, one run at a time, and one can stop and go on."""

import gc
import weakref

import pytest
import torch
import toys

from danlu.core import Run
from danlu.errors import Refused
from danlu.stages import Stages
from danlu.techniques.gradient.clip import Clip
from danlu.techniques.update.ema import EMA


def test_each_stage_starts_from_the_weights_that_the_one_before_left():
    first, second = toys.recipe(steps=4), toys.recipe(steps=3, data=lambda: toys.made(40, seed=7), optimizer=torch.optim.AdamW)
    stages = Stages(first, second)
    assert [report.step for report in stages] == [1, 2, 3, 4, 1, 2, 3]
    by_hand = Run(second)
    by_hand.placement.load_weights(by_hand.model, toys.trained(steps=4).state()["model"])
    list(by_hand)
    assert toys.apart(stages.run, by_hand) == 0.0


@pytest.mark.parametrize("carry", [(), ("ema.0",), ("ema.0", "nobody.0")])
def test_named_state_is_carried_and_the_rest_starts_fresh(carry):
    recipes = [toys.recipe(Clip(), EMA(decay=0.9, warmup=False), steps=3), toys.recipe(EMA(decay=0.9, warmup=False), steps=1)]
    stages = Stages(*recipes, carry=carry)
    reports = iter(stages)
    for _ in range(3):
        next(reports)
    left, live = {k: v.clone() for k, v in stages.run.kept_weights().items()}, toys.state(stages.run)
    assert not torch.equal(left["0.weight"], live["0.weight"])
    next(reports)
    start = left if carry else live  # a fresh average starts at the weights that were handed on, not at those of the initialisation
    wanted = torch.lerp(start["0.weight"], stages.run.model[0].weight.detach(), 0.1)
    assert torch.allclose(stages.run.kept_weights()["0.weight"], wanted, atol=1e-14)
    assert stages.run.techniques[0].moves == (4 if carry else 1)


def test_to_stop_and_to_iterate_again_is_to_go_on():
    recipes = [toys.recipe(steps=3), toys.recipe(steps=4, seed=1), toys.recipe(steps=2)]
    whole, parts = Stages(*recipes), Stages(*recipes)
    list(whole)
    seen = []
    for _ in range(20):
        seen += [report.step for _, report in zip(range(2), parts)]
    assert seen == [1, 2, 3, 1, 2, 3, 4, 1, 2]
    assert toys.apart(whole.run, parts.run) == 0.0


def test_the_run_before_is_let_go():
    stages = Stages(toys.recipe(steps=2), toys.recipe(steps=2))
    refs = []
    for report in stages:
        if report.step == 2:
            refs.append([weakref.ref(stages.run.model), weakref.ref(stages.run.optimizer)])
    gc.collect()
    assert [ref() for ref in refs[0]] == [None, None] and all(ref() is not None for ref in refs[1])
    with stages:
        pass
    gc.collect()
    assert [ref() for ref in refs[1]] == [None, None]
    Stages().close()


def test_weights_that_do_not_fit_the_next_model_are_refused():
    with pytest.raises(Refused, match=r"0\.weight"):
        list(Stages(toys.recipe(steps=1), toys.recipe(steps=1, model=lambda: torch.nn.Sequential(torch.nn.Linear(6, 3)))))
