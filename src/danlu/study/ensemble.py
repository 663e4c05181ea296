"""Many small trainings as one program (stub: the interface is settled, the bodies follow)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from danlu.core import Recipe


@dataclass(frozen=True, eq=False)
class Member:
    """One training of an ensemble and what came of it.

    losses: float64 [steps], as `Report.loss` of a run says them
    metrics: name -> {steps finished: value}, wherever the recipe validates; None where a metric is undefined
    weights: final parameters and buffers by name
    settings: the fields that `sweep` set, and "seed"
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
        raise NotImplementedError

    def last(self, metric: str) -> dict[int, float | None]:
        """seed -> the last value of a metric ("loss": of the last step). Raises BadInput for an unknown metric or a seed that is there twice."""
        raise NotImplementedError

    def best(self, metric: str) -> dict[int, float | None]:
        """seed -> the best value of a metric over the steps (see `validate.mode_of`)."""
        raise NotImplementedError

    def curve(self, metric: str = "loss") -> tuple[list[int], list[list[float]]]:
        """(steps finished [k], values [members][k]) of "loss" or a validation metric."""
        raise NotImplementedError


def sweep(recipe: Recipe, seeds: Iterable[int] = range(5), **settings: Sequence[Any]) -> list[Recipe]:
    """Every combination of the settings (dotted fields, as on the command line), each with every seed; the seed varies fastest."""
    raise NotImplementedError


def ensemble(recipes: Iterable[Recipe], *, alone: bool = False) -> Ensemble:
    """Train all of them; those alike but for seed, rates, decays, schedules and dropout are one program.

    alone: what cannot be stacked runs as a `Run` of its own; otherwise it is refused before any training. Raises Refused, BadInput.
    """
    raise NotImplementedError
