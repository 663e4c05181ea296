"""Cross-validation: the recipe is trained once a fold, in the ordinary way, and measured on the rows that the fold held out.

Repeated: dealt anew. Nested: settings are chosen by folds within the rows that a fold trains on, so the held-out rows choose nothing
(Varma and Simon 2006). The interval of the mean allows for the rows that trainings share (Nadeau and Bengio 2003).
"""

from __future__ import annotations

import itertools
import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from danlu import messages
from danlu.core import Recipe
from danlu.data.table_split import TEST
from danlu.describe.override import override
from danlu.errors import BadInput
from danlu.evaluation.folds import LEFT_OUT, folds
from danlu.evaluation.intervals import LEVEL, Interval
from danlu.evaluation.pool import Pool, pool_of
from danlu.run.train import train

INNER = 3  # folds within a fold, for nested cross-validation
PREFIX = "test_"


@dataclass(frozen=True)
class Fold:
    """metrics: on the held-out rows. rows: how many trained (with those that chose the weights), and how many were held out.

    chosen: the settings that the inner folds chose, for nested cross-validation.
    """

    repeat: int
    number: int
    metrics: dict[str, float | None]
    rows: tuple[int, int]
    chosen: tuple[str, ...] = ()


@dataclass(frozen=True)
class CrossValidation:
    folds: tuple[Fold, ...]
    in_time: bool = False
    settings: tuple[tuple[str, ...], ...] = field(default=())

    @property
    def names(self) -> list[str]:
        return list(self.folds[0].metrics)

    def values(self, name: str) -> list[float]:
        """The figure of each fold where it is defined."""
        return [value for fold in self.folds if (value := fold.metrics.get(name)) is not None]

    def mean(self, name: str) -> float | None:
        values = self.values(name)
        return sum(values) / len(values) if values else None

    def std(self, name: str) -> float | None:
        """Between folds, of the sample."""
        return float(np.std(self.values(name), ddof=1)) if len(self.values(name)) > 1 else None

    def interval(self, name: str) -> Interval | None:
        """95 % of the mean, by Student's t with the variance of Nadeau and Bengio 2003, (1 / n + held out / trained) s^2.

        None where any fold has no figure, and for folds in time, which train on ever more rows.
        """
        values, std = self.values(name), self.std(name)
        if std is None or len(values) < len(self.folds) or self.in_time:
            return None
        from scipy.stats import t

        share = sum(fold.rows[1] / fold.rows[0] for fold in self.folds) / len(self.folds)
        half = float(t.ppf((1 + LEVEL) / 2, len(values) - 1)) * std * math.sqrt(1 / len(values) + share)
        mean = sum(values) / len(values)
        return mean - half, mean + half

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        figures = {n: {"mean": self.mean(n), "std": self.std(n), "interval": self.interval(n)} for n in self.names}
        each = [{"repeat": one.repeat, "fold": one.number, "rows": list(one.rows), "metrics": one.metrics} for one in self.folds]
        for plain, one in zip(each, self.folds):
            plain |= {"chosen": list(one.chosen)} if one.chosen else {}
        return {"metrics": figures, "folds": each}


def cross_validate(
    recipe: Recipe,
    count: int = 5,
    repeats: int = 1,
    nested: Sequence[tuple[str, Sequence[str]]] = (),
    tell: Callable[[Fold], None] = lambda fold: None,
) -> CrossValidation:
    """Train and measure `count` times `repeats`; with `nested`, choose among the settings (field, values) within each fold.

    tell: called with each fold as it ends. Raises BadInput for fewer than 2 folds or more than there are rows, and what training raises.
    """
    if count < 2 or repeats < 1:
        raise BadInput(messages.FOLDS_RANGE, folds=count, repeats=repeats)
    settings = [tuple(f"{name}={value}" for (name, _), value in zip(nested, row)) for row in itertools.product(*(v for _, v in nested))]
    for changes in settings:
        override(recipe, list(changes))  # a wrong field is told before anything is trained
    pool = pool_of(recipe)
    if pool.times is not None and repeats > 1:
        raise BadInput(messages.FOLDS_TIME_REPEATS)
    found = []
    for repeat in range(repeats):
        for number, parts in enumerate(_folds(pool, count, repeat)):
            chosen: tuple[str, ...] = ()
            own = recipe
            if nested:
                chosen = _choose(recipe, pool, parts, settings)
                own = override(recipe, list(chosen))
            held = int((parts == TEST).sum())
            fold = Fold(repeat, number, _measured(own, pool, parts), (int((parts >= 0).sum()) - held, held), chosen)
            tell(fold)
            found.append(fold)
    return CrossValidation(tuple(found), pool.times is not None, tuple(settings))


def _folds(pool: Pool, count: int, repeat: int, among: np.ndarray | None = None) -> Iterator[np.ndarray]:
    return folds(count, pool.hashes, pool.classes, pool.groups, pool.times, among, repeat)


def _measured(recipe: Recipe, pool: Pool, parts: np.ndarray) -> dict[str, float | None]:
    """Figures on the rows that are held out, after a training in a folder of its own."""
    with pool.cut(parts) as data, tempfile.TemporaryDirectory() as folder:
        metrics: Mapping[str, float | None] = train(replace(recipe, data=data), Path(folder) / "run").metrics
    return {name.removeprefix(PREFIX): value for name, value in metrics.items()}


def _choose(recipe: Recipe, pool: Pool, parts: np.ndarray, settings: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The settings with the least mean loss over inner folds of the rows that are not held out."""
    among = (parts != TEST) & (parts != LEFT_OUT)
    losses = []
    for changes in settings:
        own = override(recipe, list(changes))
        inner = [_measured(own, pool, within)["loss"] for within in _folds(pool, INNER, 1, among)]
        finite = [loss for loss in inner if loss is not None]
        losses.append(sum(finite) / len(finite) if len(finite) == len(inner) else math.inf)
    return settings[int(np.argmin(losses))]
