"""Does every setting that is not at its default make a difference? It is put back, and what it settles is compared."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from danlu import build, messages
from danlu.check.alive import SEEN, Trace, traced
from danlu.check.certificate import NOTE, OK, Line, line
from danlu.check.trial import Trial
from danlu.core import Recipe
from danlu.describe.annotations import REQUIRED, field_types
from danlu.describe.forms import same
from danlu.describe.user_file import Named
from danlu.errors import Trouble
from danlu.find.names import snake
from danlu.metrics.score import score
from danlu.testing.compare import same as equal

PLAIN = ("precision", "seed", "batch_size", "micro_batch_size")  # not device: on this machine it may be what auto takes
OTHERS = (0, 0.1, 10)  # times what was set: values that show whether it is read at all


@dataclass(frozen=True)
class Setting:
    """A field at another value than its default. at(value): the recipe with that value in its place."""

    owner: str
    field: str
    default: Any
    value: Any
    at: Callable[[Any], Recipe]

    def __str__(self) -> str:
        return f"{self.owner}.{self.field}" if self.owner else self.field


def settings(trial: Trial) -> Line:
    """A number that is as good as its default in a few steps is tried at values far from it, too: a limit may not have been reached.

    Nothing here refuses: a setting without a difference is said. Settings of the data are not tried, since that would build the data anew;
    those of validation and of report techniques act later than in a few steps.
    """
    compare = Compare(trial)
    tried = list(_of(trial))
    without = [str(setting) for setting in tried if not compare.differs(setting)]
    untried = _untried(trial)
    figures = {"tried": [str(setting) for setting in tried], "without": without, "untried": untried}
    more = [(messages.CHECK_UNTRIED, {"untried": ", ".join(untried)})] if untried else []
    if without:
        return line("settings", NOTE, messages.CHECK_WITHOUT, *more, names=", ".join(without), steps=compare.steps, **figures)
    if not tried:
        return line("settings", OK, messages.CHECK_NO_SETTINGS, *more, **figures)
    return line("settings", OK, messages.CHECK_SETTINGS_OK, *more, count=len(tried), names=", ".join(map(str, tried)), **figures)


# ---- what is set ----


def _put(recipe: Recipe, field: str, place: int | None = None) -> Callable[[Any], Recipe]:
    """What makes the recipe with another thing in that field (at that place of it)."""

    def put(thing: Any) -> Recipe:
        listed: Any = getattr(recipe, field)
        values: dict[str, Any] = {field: thing if place is None else (*listed[:place], thing, *listed[place + 1 :])}
        return replace(recipe, **values)

    return put


def _of(trial: Trial) -> Iterator[Setting]:
    small = trial.small
    for owner in ("model", "loss", "optimizer", "schedule"):
        yield from _fields(owner, getattr(small, owner), _put(small, owner))
    for kind in ("techniques", "metrics"):
        listed = getattr(small, kind)
        for place, thing in enumerate(listed):
            if kind == "metrics" or type(thing).changes in SEEN:
                yield from _fields(snake(type(thing).__name__), thing, _put(small, kind, place))
    for field in PLAIN:
        default, value = field_types(Recipe)[field][1], getattr(trial.recipe, field)
        if not same(value, default):
            whole = trial.recipe if field.endswith("batch_size") else small
            yield Setting("", field, default, value, _put(whole, field))


def _fields(owner: str, thing: Any, put: Callable[[Any], Recipe]) -> Iterator[Setting]:
    """The fields of a description that are not at their defaults, and the options of a user's own that are not."""
    if isinstance(thing, Named):
        for key, value in thing.options.items():
            default = _default_of(thing, key)
            if not same(value, default):
                yield Setting(owner, key, default, value, functools.partial(_named_with, put, thing, key))
    elif dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        for field, default in _defaults(thing).items():
            value = getattr(thing, field)
            if not same(value, default) and not dataclasses.is_dataclass(value):
                yield Setting(owner, field, default, value, functools.partial(_with, put, thing, field))


def _with(put: Callable[[Any], Recipe], thing: Any, field: str, value: Any) -> Recipe:
    return put(replace(thing, **{field: value}))


def _named_with(put: Callable[[Any], Recipe], thing: Named, key: str, value: Any) -> Recipe:
    return put(Named(thing.target, {**thing.options, key: value}))


def _defaults(thing: Any) -> Mapping[str, Any]:
    cls: Any = type(thing)
    return {field: default for field, (_, default) in field_types(cls).items() if default is not REQUIRED}


def _default_of(thing: Named, key: str) -> Any:
    """The default of an option; the option itself where it must be given, so that it counts as no choice."""
    try:
        default = inspect.signature(Named(thing.target).thing).parameters[key].default
    except (TypeError, ValueError, KeyError):
        return thing.options[key]
    return thing.options[key] if default is inspect.Parameter.empty else default


def _untried(trial: Trial) -> list[str]:
    recipe = trial.recipe
    named = [("data", recipe.data), ("validate", recipe.validate)]
    named += [(snake(type(t).__name__), t) for t in recipe.techniques if type(t).changes not in SEEN]
    return [str(setting) for owner, thing in named if thing for setting in _fields(owner, thing, lambda other: recipe)]


# ---- what it makes of the run ----


class Compare:
    """Two recipes, by what the owner of the setting settles before the first step; by a short run only where that is the same."""

    def __init__(self, trial: Trial):
        self.trial, self.steps = trial, 2
        self._known: Trace | None = None

    def differs(self, setting: Setting) -> bool:
        if self._apart(setting, setting.default):
            return True
        number = isinstance(setting.value, int | float) and not isinstance(setting.value, bool)
        return number and any(self._apart(setting, type(setting.value)(setting.value * times)) for times in OTHERS)

    def _apart(self, setting: Setting, value: Any) -> bool:
        own, other = setting.at(setting.value), setting.at(value)
        try:
            if setting.field.endswith("batch_size") and not setting.owner:
                return self._plan(own) != self._plan(other)
            if setting.owner in ("model", "optimizer", "schedule"):
                first = {"model": self._weights, "optimizer": self._moved, "schedule": self._rates}[setting.owner]
                if not equal(first(own), first(other)):
                    return True
                if setting.owner == "schedule":
                    return False
            elif setting.owner and own.metrics != other.metrics:
                return self._scores(own) != self._scores(other)
            self._known = self._known or traced(self.trial, self.trial.small, self.trial.peak, self.steps)
            return not self._known.same(traced(self.trial, other, self.trial.peak, self.steps))
        except (Trouble, RuntimeError, ValueError):  # with the other value it is refused, or does not run
            return True

    def _plan(self, recipe: Recipe) -> tuple[int, int, int]:
        plan = self.trial.fresh.placement.plan(self.trial.data.train, recipe)
        return plan.steps_per_epoch, plan.micro_count(), plan.at_once

    def _weights(self, recipe: Recipe) -> dict[str, Tensor]:
        return self._model(recipe).state_dict()

    def _model(self, recipe: Recipe) -> torch.nn.Module:
        return build.model(recipe, build.columns(recipe, self.trial.data.facts))

    def _moved(self, recipe: Recipe) -> dict[str, Tensor]:
        """The weights after two moves by drawn gradients, which any optimiser can make without looking at the model."""
        model, draws = self._model(recipe), torch.Generator().manual_seed(0)
        optimizer = build.optimizer(recipe, model)
        for _ in range(2):
            for p in model.parameters():
                p.grad = 0.01 * torch.randn(p.shape, generator=draws) if p.requires_grad else None
            optimizer.step(lambda: 0.0)  # type: ignore[arg-type]  # one that searches finds nothing, and is compared by a short run
        return model.state_dict()

    def _rates(self, recipe: Recipe) -> dict[str, Tensor]:
        run = build.schedule(recipe)(self.trial.total)
        steps = range(0, self.trial.total, max(1, self.trial.total // 200))
        return {"rate": torch.tensor([run(step) for step in steps], dtype=torch.float64)}

    def _scores(self, recipe: Recipe) -> str:
        held_out = self.trial.part.val
        with self.trial.run(recipe) as run:
            return repr(score(run, held_out, "")) if held_out is not None else repr(recipe.metrics)
