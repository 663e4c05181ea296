"""Trainings one after another: probe after pre-training, continual tasks, coarse to fine."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from danlu.core import Recipe, Reports, Run


class Stages:
    """Recipes one after another: each starts from the weights (and the named technique state) that the one before left."""

    def __init__(self, *recipes: Recipe, carry: Sequence[str] = ()):
        self.recipes, self.carry, self.run = recipes, tuple(carry), None

    def __iter__(self) -> Reports:
        for recipe in self.recipes:
            run, before = Run(recipe), self.run
            if before is not None:
                run.placement.load_weights(run.model, before.placement.state(before.model, before.optimizer)["model"])
                left = dict(before.named_techniques())
                for name, technique in run.named_techniques():
                    for key in technique.state if name in self.carry and name in left else ():
                        setattr(technique, key, copy.deepcopy(getattr(left[name], key)))
                before.close()
            self.run: Run | None = run
            yield from run
