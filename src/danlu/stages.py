"""Trainings one after another: probe after pre-training, continual tasks, coarse to fine."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from danlu.core import Recipe, Reports, Run


class Stages:
    """Recipes one after another: each starts from the weights (and the technique state named in `carry`: "ema.0") that the one before left.

    Iterate to train; stop iterating to stop; iterate again to go on in the same stage. `run` is the stage at work.
    """

    def __init__(self, *recipes: Recipe, carry: Sequence[str] = ()):
        self.recipes, self.carry, self.stage = recipes, tuple(carry), 0
        self.run: Run | None = None

    def __iter__(self) -> Reports:
        while self.stage < len(self.recipes):
            if self.run is None:
                self.run = Run(self.recipes[self.stage])
            yield from self.run
            if self.stage + 1 < len(self.recipes):
                self.run = self._next(self.run, self.recipes[self.stage + 1])
            self.stage += 1

    def _next(self, before: Run, recipe: Recipe) -> Run:
        weights = before.placement.state(before.model, before.optimizer)["model"]
        left: dict[str, dict[str, Any]] = {name: {key: getattr(t, key) for key in t.state} for name, t in before.named_techniques()}
        before.close()  # first, so that no two optimisers are held at once
        run = Run(recipe)
        run.placement.load_weights(run.model, weights)
        for name, technique in run.named_techniques():
            for key, value in left.get(name, {}).items() if name in self.carry else ():
                setattr(technique, key, copy.deepcopy(value))
        return run

    def close(self) -> None:
        """Let go of the run at work."""
        if self.run is not None:
            self.run.close()

    def __enter__(self) -> Stages:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
