"""What came of an ensemble: its members, chosen by their settings, and their numbers by seed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from danlu import messages
from danlu.core import Recipe
from danlu.describe.override import technique_name
from danlu.errors import BadInput
from danlu.techniques.reports.validate import better, mode_of


@dataclass(frozen=True, eq=False)
class Member:
    """One training of an ensemble and what came of it.

    losses: float64 [steps], as `Report.loss` of a run says them
    metrics: name -> {steps finished: value}, wherever the recipe validates; None where a metric is undefined
    weights: final parameters and buffers by name
    settings: the fields in which members differ, dotted as on the command line, and "seed"
    alone: whether it ran as a `Run` of its own
    """

    recipe: Recipe
    losses: Tensor
    metrics: dict[str, dict[int, float | None]]
    weights: dict[str, Tensor]
    settings: dict[str, Any] = field(default_factory=dict)
    alone: bool = False


@dataclass(frozen=True, eq=False)
class Ensemble:
    """The members in the order of the recipes."""

    members: tuple[Member, ...]

    def where(self, **settings: Any) -> Ensemble:
        """The members with these settings: `where(**{"optimizer.lr": 0.1})`. Raises BadInput if there are none."""
        found = [(member, _fields(member.recipe)) for member in self.members]
        kept = tuple(
            member for member, fields in found if all(key in fields and _equal(fields[key], value) for key, value in settings.items())
        )
        if not kept:
            there = "; ".join(dict.fromkeys(_shown(member.settings) for member in self.members))
            raise BadInput(messages.NO_MEMBER, wanted=_shown(settings), found=there)
        return Ensemble(kept)

    def last(self, metric: str) -> dict[int, float | None]:
        """seed -> the last value of a metric ("loss": of the last step). Raises BadInput for an unknown metric or a seed twice."""
        return {seed: next(reversed(values.values())) for seed, values in self._by_seed(metric).items()}

    def best(self, metric: str) -> dict[int, float | None]:
        """seed -> the best value of a metric over the steps (small for losses and errors, large for others)."""
        found: dict[int, float | None] = {}
        for seed, values in self._by_seed(metric).items():
            found[seed] = None
            for value in values.values():
                if value is not None and better(value, found[seed], mode_of(metric)):
                    found[seed] = value
        return found

    def curve(self, metric: str = "loss") -> tuple[list[int], list[list[float | None]]]:
        """(steps finished [k], values [members][k]) of "loss" or a validation metric. Raises BadInput if members differ in their steps."""
        found = [self._values(member, metric) for member in self.members]
        steps = list(found[0])
        if any(list(values) != steps for values in found):
            raise BadInput(messages.STEPS_DIFFER)
        return steps, [list(values.values()) for values in found]

    def _by_seed(self, metric: str) -> dict[int, dict[int, float | None]]:
        found = {member.recipe.seed: self._values(member, metric) for member in self.members}
        if len(found) < len(self.members):
            seeds = [member.recipe.seed for member in self.members]
            seed = next(seed for seed in seeds if seeds.count(seed) > 1)
            twice = "; ".join(_shown(member.settings) for member in self.members if member.recipe.seed == seed)
            raise BadInput(messages.SEED_TWICE, seed=seed, count=seeds.count(seed), settings=twice)
        return found

    @staticmethod
    def _values(member: Member, metric: str) -> dict[int, float | None]:
        if metric == "loss":
            return dict(enumerate(member.losses.tolist(), 1))
        if metric not in member.metrics:
            raise BadInput(messages.NO_SUCH_METRIC, metric=metric, found=", ".join(["loss", *member.metrics]))
        return member.metrics[metric]


def _shown(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in settings.items()) or "-"


def _fields(recipe: Recipe) -> dict[str, Any]:
    """Every field and field of a field, dotted as on the command line; techniques and metrics by their names."""
    found: dict[str, Any] = {}

    def add(name: str, value: Any) -> None:
        found[name] = value
        if name in ("techniques", "metrics"):
            for each in value:
                add(technique_name(each), each)
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            for inner in dataclasses.fields(value):
                add(f"{name}.{inner.name}", getattr(value, inner.name, None))

    for own in dataclasses.fields(recipe):
        add(own.name, getattr(recipe, own.name))
    return found


def _equal(a: Any, b: Any) -> bool:
    """Equal, or the same object where equality is no yes or no (arrays inside)."""
    try:
        return a is b or bool(a == b)
    except (RuntimeError, ValueError):
        return False


def settings_of(recipes: Sequence[Recipe]) -> list[dict[str, Any]]:
    """The fields in which recipes differ, and the seed; of a field and a field of it only the inner one, where all have it."""
    each = [_fields(recipe) for recipe in recipes]
    names = [name for name in each[0] if all(name in fields for fields in each)]
    differ = [name for name in names if any(not _equal(fields[name], each[0][name]) for fields in each)]
    differ = [name for name in differ if not any(other.startswith(f"{name}.") for other in differ)]
    return [{**{name: fields[name] for name in differ}, "seed": fields["seed"]} for fields in each]
