"""Bootstrap intervals of every metric: test rows are drawn again, with replacement, and each metric is computed of what was drawn.

The percentile interval of Efron 1979 ("Bootstrap methods: another look at the jackknife"). It tells how far a figure may be off because
these rows and no others were tested; not what another training would give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from danlu.core import Batch, Run
from danlu.keys import generator
from danlu.losses.criterion import forward
from danlu.losses.returned import returned_loss
from danlu.metrics.metric import metrics_for

RESAMPLES = 1000
LEVEL = 0.95
AT_ONCE = 1 << 22  # draws that are held together

Interval = tuple[float, float]
Says = Callable[[Any], Tensor]  # scores from inputs


@dataclass(frozen=True)
class _Part:
    """One metric of every row: sums [rows, ...] that add up, lists [rows, positions, ...] that are joined, and what they amount to."""

    sums: dict[str, Tensor]
    lists: dict[str, Tensor]
    finish: Callable[[dict[str, Tensor]], dict[str, float | None]]


@dataclass(frozen=True)
class RowFigures:
    """The loss and every metric of a run, row by row."""

    parts: tuple[_Part, ...]
    rows: int

    def values(self) -> dict[str, float | None]:
        """Each figure over all rows."""
        return self._of(torch.ones(self.rows, dtype=torch.float64))

    def resampled(self, seed: int, resamples: int = RESAMPLES) -> dict[str, list[float | None]]:
        """Each figure of `resamples` draws of the rows; the same seed and number of rows draw the same rows."""
        found: dict[str, list[float | None]] = {}
        for weights in _draws(self.rows, seed, resamples):
            for name, value in self._of(weights).items():
                found.setdefault(name, []).append(value)
        return found

    def _of(self, weights: Tensor) -> dict[str, float | None]:
        """Each figure when row i is there `weights[i]` times."""
        figures: dict[str, float | None] = {}
        for part in self.parts:
            stats = {key: torch.tensordot(weights, value.double(), 1) for key, value in part.sums.items()}
            if part.lists:
                drawn = torch.repeat_interleave(weights.long())
                stats |= {key: value[drawn].flatten(0, 1) for key, value in part.lists.items()}
            figures |= part.finish(stats)
        return figures


def row_figures(run: Run, rows: Any, weights: dict[str, Tensor] | None = None, says: Says | None = None) -> RowFigures:
    """Look at every row once. weights: to look with. says: scores from inputs, in place of the model's."""
    criterion, metrics = run.criterion, metrics_for(run.recipe.metrics, run.data.facts)
    finishes: dict[str, Callable[[dict[str, Tensor]], dict[str, float | None]]] = {
        str(k): metric.finish for k, metric in enumerate(metrics)
    }

    def look(model: Any, batch: Batch) -> dict[str, Any]:
        whole = forward(model, batch.inputs) if says is None else says(batch.inputs)
        own_loss = returned_loss(whole) is not None  # of the whole batch: what it is of one row cannot be told
        found: dict[str, list[Tensor]] = {}
        for place in range(len(batch.ids)):
            one, output = _row(batch, place), _sliced(whole, place)
            one.counts = {"rows": 1, "once": 1.0, **criterion.counts(one)}
            own: dict[str, Any] = {}
            if criterion.whole is None and not own_loss:
                for term, (value, per) in criterion.sums(output, one).terms.items():
                    own[f"loss|sum|{term}"], own[f"loss|count|{term}"] = value, torch.as_tensor(one.counts[per])
            point = output if says is not None else criterion.point(output)
            for number, metric in enumerate(metrics):
                own |= {f"{number}|{key}": value for key, value in metric.stats(point, one).items()}
            for key, value in own.items():
                joined = isinstance(value, list)
                found.setdefault(("list|" if joined else "sum|") + key, []).append((value[0] if joined else value).detach().cpu())
        return {key: [torch.stack(values)] for key, values in found.items()}

    total = run.placement.evaluate(run.model, look, rows, run.plan.at_once, criterion, weights)
    owners = dict.fromkeys(key.split("|")[1] for key in total)
    parts = tuple(_Part(_own(total, f"sum|{owner}|"), _own(total, f"list|{owner}|"), finishes.get(owner, _mean_loss)) for owner in owners)
    return RowFigures(parts, len(rows))


def interval(values: list[float | None], level: float = LEVEL) -> Interval | None:
    """The middle `level` of resampled values; None where any is undefined."""
    if any(value is None for value in values):
        return None
    ends = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64)
    low, high = torch.quantile(torch.tensor(values, dtype=torch.float64), ends).tolist()
    return low, high


def intervals(figures: RowFigures, seed: int, resamples: int = RESAMPLES) -> dict[str, Interval | None]:
    """The interval of each figure."""
    return {name: interval(values) for name, values in figures.resampled(seed, resamples).items()}


def _draws(rows: int, seed: int, resamples: int) -> Iterator[Tensor]:
    """How often each row is drawn, float64 [rows], for each resample."""
    draw = generator(seed, "bootstrap", rows)
    at_once = max(1, AT_ONCE // rows)
    for start in range(0, resamples, at_once):
        count = min(at_once, resamples - start)
        ids = torch.randint(rows, (count, rows), generator=draw)
        yield from torch.zeros(count, rows, dtype=torch.float64).scatter_add_(1, ids, torch.ones(count, rows, dtype=torch.float64))


def _mean_loss(stats: dict[str, Tensor]) -> dict[str, float | None]:
    terms = [key.removeprefix("sum|") for key in stats if key.startswith("sum|")]
    return {"loss": sum(float(stats[f"sum|{term}"]) / max(float(stats[f"count|{term}"]), 1e-30) for term in terms)}


def _own(total: dict[str, Tensor], start: str) -> dict[str, Tensor]:
    return {key.removeprefix(start): value for key, value in total.items() if key.startswith(start)}


def _row(batch: Batch, place: int) -> Batch:
    ids = batch.ids[place : place + 1]
    return replace(batch, inputs=_sliced(batch.inputs, place), targets=_sliced(batch.targets, place), ids=ids, counts={})


def _sliced(tree: Any, place: int) -> Any:
    """Row `place` of a tree of tensors, as a batch of one."""
    if isinstance(tree, dict):
        return type(tree)(**{key: _sliced(value, place) for key, value in tree.items()}) if type(tree) is dict else _of_output(tree, place)
    return tree[place : place + 1] if isinstance(tree, Tensor) else _of_output(tree, place)


def _of_output(output: Any, place: int) -> Any:
    """One row of what a model of transformers returns: its scores."""
    return output.logits[place : place + 1] if hasattr(output, "logits") else output
