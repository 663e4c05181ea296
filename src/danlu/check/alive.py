"""Does every technique do something in this recipe? A run with it beside a run without it."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from torch import Tensor

from danlu import messages
from danlu.check.certificate import FAILED, NOTE, OK, Line, line
from danlu.check.trial import Trial, batches_of
from danlu.core import Recipe, Technique
from danlu.cost import activations
from danlu.errors import Trouble
from danlu.explain import called
from danlu.techniques.reports.validate import Validate
from danlu.testing.compare import holds_tensor, said, same, weights

SEEN = ("parameters", "gradients", "memory")  # changes that a few steps show; the others may come later in a run


@dataclass(frozen=True)
class Trace:
    """What a few steps left."""

    weights: dict[str, Tensor]
    gradients: dict[str, Tensor]
    losses: tuple[float, ...]
    average: dict[str, Tensor]
    states: tuple[Any, ...]  # of each technique, in order

    def same(self, other: Trace) -> bool:
        pairs = ((self.weights, other.weights), (self.gradients, other.gradients), (self.average, other.average))
        return repr(self.losses) == repr(other.losses) and all(same(*pair) for pair in pairs)


def traced(trial: Trial, recipe: Recipe, start: int, steps: int) -> Trace:
    """The recipe for `steps` steps from step `start` on, with fresh weights."""
    with trial.run(recipe) as run:
        run.step = min(start, run.total - 1)
        losses, gradients = [], dict[str, Tensor]()
        for report in islice(run, steps):
            losses.append(float(report.loss))
            gradients = gradients or {name: p.grad.clone() for name, p in run.model.named_parameters() if p.grad is not None}
        states = tuple({key: getattr(t, key, None) for key in t.state} for t in run.techniques)
        average = {name: value.clone() for name, value in (run.kept_weights("auto") or {}).items()}
        return Trace(weights(run), gradients, tuple(losses), average, states)


def techniques(trial: Trial) -> Line:
    """Each at its own settings; where that shows nothing, at its example's settings and later in the run.

    What changes nothing anywhere is refused. What only its example changes anything with is said: a limit that is not reached, a patience
    that is not over.
    """
    listed = trial.recipe.techniques
    if not listed:
        return line("techniques", OK, messages.CHECK_NO_TECHNIQUES)
    names = [called(technique, "technique") for technique in listed]
    verdicts = [_alive(trial, place) for place in range(len(listed))]
    dead, idle, later = ([n for n, v in zip(names, verdicts) if v == kind] for kind in ("dead", "idle", "later"))
    figures = {"alive": [n for n, v in zip(names, verdicts) if v == "alive"], "idle": idle, "later": later, "dead": dead}
    if dead:
        return line("techniques", FAILED, messages.CHECK_DEAD, names=", ".join(dead), steps=trial.steps, **figures)
    if idle:
        return line("techniques", NOTE, messages.CHECK_IDLE, names=", ".join(idle), steps=trial.steps, **figures)
    more = [(messages.CHECK_LATER, {"later": ", ".join(later)})] if later else []
    return line("techniques", OK, messages.CHECK_ALIVE, *more, names=", ".join(names), **figures)


def _alive(trial: Trial, place: int) -> str:
    """ "alive", "later" (may be: only its example was), "idle" (its example was), or "dead"."""
    own = trial.recipe.techniques[place]
    kind, sees = type(own), functools.partial(_sees, trial, place)
    if kind.changes == "time" or sees(own):
        return "alive"
    if kind.changes in SEEN and sees(own, late=True):
        return "alive"
    example = kind.example()
    if example != own and sees(example):
        return "idle" if kind.changes in SEEN else "later"
    return "dead" if kind.changes in SEEN or example != own else "later"


def _sees(trial: Trial, place: int, technique: Technique, late: bool = False) -> bool:
    """Whether that technique, in that place, makes a difference of the kind that it says."""
    changes = type(technique).changes
    others = trial.recipe.techniques
    full = replace(trial.small, techniques=(*others[:place], technique, *others[place + 1 :]))
    less = replace(trial.small, techniques=(*others[:place], *others[place + 1 :]))
    if changes in SEEN:
        at = max(0, trial.total - trial.steps) if late else trial.peak
        steps = 1 if trial.costly and changes == "gradients" else trial.steps
        found = traced(trial, full, at, steps)
        if changes == "memory" and (holds_tensor(found.states[place]) or _kept(trial, full) != _kept(trial, less)):
            return True
        try:
            return not found.same(traced(trial, less, at, steps))
        except Trouble:  # without it the recipe is refused
            return True
    return any(_reports(trial, full, quiet) != _reports(trial, less, quiet) for quiet in (False, True))


def _kept(trial: Trial, recipe: Recipe) -> int:
    with trial.run(recipe) as run:
        return activations(run, next(batches_of(run, 1))[0])


def _reports(trial: Trial, recipe: Recipe, quiet: bool) -> list[Any]:
    """What a run of a few steps says from its beginning to its end, validated after each of them, or not at all if `quiet`."""
    own = trial.recipe.validate or Validate()
    validate: Any = False if quiet or trial.part.val is None else replace(own, every=1)
    with trial.run(replace(recipe, steps=trial.steps, validate=validate)) as run:
        return [said(report) for report in run]
