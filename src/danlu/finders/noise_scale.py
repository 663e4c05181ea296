"""The gradient noise scale: the batch size from which on more rows a step hardly make steps better.

McCandlish et al. 2018, "An empirical model of large-batch training", appendix A.1: the squared length of a mean gradient over B rows is,
on average, |G|^2 + tr(S) / B. Gradients of small parts and of all of them together give both without bias; tr(S) / |G|^2 is the scale. At a
batch of that size a step does half of what it could with endless rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
import torch
from torch import Tensor

from danlu import messages
from danlu.core import Batch, Recipe, Run
from danlu.errors import Refused
from danlu.finders.learning_rate import trains
from danlu.losses.parts import taken
from danlu.study.paired import interval


@dataclass(frozen=True)
class Point:
    """The gradient at one step. signal: |G|^2 of all train rows; noise: tr(S) for one row. Both without bias, so either may be below 0."""

    step: int
    signal: float
    noise: float

    @property
    def scale(self) -> float:
        """In rows; not a number where the signal cannot be told from nothing."""
        return self.noise / self.signal if self.signal > 0 and self.noise >= 0 else math.nan


@dataclass(frozen=True)
class Course:
    """The points of one seed's short training."""

    seed: int
    points: tuple[Point, ...]

    @property
    def scale(self) -> float:
        """In rows, over the second half of the points, since it grows while the loss falls: the ratio of the means."""
        late = self.points[len(self.points) // 2 :]
        return Point(0, fmean(p.signal for p in late), fmean(p.noise for p in late)).scale


@dataclass(frozen=True)
class Noise:
    """What the seeds say together: the geometric mean of their scales, and its 95 % interval (the lone scale thrice, for one seed)."""

    scale: float
    low: float
    high: float


def measured(run: Run, rows: int = 1024) -> Point:
    """The gradient's signal and noise at the weights that `run` has, over `rows` rows of one pass through the data. Nothing is moved.

    The rows are cut into parts of at most the micro-batch; a step's random numbers (dropout, augmentation) count as noise. BatchNorm sees
    one part at a time. The gradient is the objective's, before any gradient technique. Raises Refused for a loss over the whole batch.
    """
    if run.criterion.over == "batch":
        raise Refused(messages.FIND_BATCH_OVER, loss=run.criterion.loss_name)
    parts = _parts(run, min(rows, run.plan.rows))
    size = len(parts[0].ids)
    counts = {name: sum(float(part.counts[name]) for part in parts) / len(parts) for name in parts[0].counts}
    gradient, trainable = run.placement.gradient(run.model), run.trainable()
    total = [torch.zeros_like(p) for p in trainable]
    squares = 0.0
    for part in parts:  # each over the same denominators, so that their mean is the gradient over all of them
        part.counts = dict(counts)
        run.placement.begin()
        gradient(run.objective, [part])
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in trainable]
        squares += float(run.placement.norm(grads)) ** 2 / len(parts)
        torch._foreach_add_(total, grads, alpha=1 / len(parts))
    for p in trainable:
        p.grad = None
    return point(run.step, squares, float(run.placement.norm(total)) ** 2, size, size * len(parts), run.plan.rows)


def point(step: int, small: float, large: float, few: int, many: int, rows: float = math.inf) -> Point:
    """From the mean squared lengths of gradients over `few` and `many` rows, drawn without replacement from `rows` (inf: the paper's)."""
    noise = (small - large) / (1 / few - 1 / many)
    return Point(step, large - noise * (1 / many - 1 / rows), noise)


def course(run: Run, points: int = 6, steps: int = 200, rows: int = 1024) -> Course:
    """Measured at `points` steps of a short training from where `run` is, on a copy: the run itself is left as it was.

    Techniques that only watch (validation, early stopping, checkpoints) are left out. Raises Refused where training breaks on the way.
    """
    kept = tuple(t for t in run.recipe.techniques if trains(t))
    at = {round(steps * place / max(points - 1, 1)) for place in range(points)}
    with run.fork(validate=False, techniques=kept, epochs=None, steps=run.step + steps) as trial:
        found = [measured(trial, rows)] if 0 in at else []
        for report in trial:
            if not report.outcome.moved or not math.isfinite(float(report.loss)):
                raise Refused(messages.FIND_BATCH_BROKE, step=report.step)
            if report.step - run.step in at:
                found.append(measured(trial, rows))
    return Course(run.seed, tuple(replace(p, step=p.step - run.step) for p in found))


def courses(recipe: Recipe, seeds: Sequence[int], points: int = 6, steps: int = 200, rows: int = 1024) -> Iterator[Course]:
    """The same from fresh models of a recipe, one for each seed, each with its own order of the data."""
    data = None
    for seed in seeds:
        with Run(replace(recipe, seed=seed), data=data) as run:
            data = run.data
            yield course(run, points, steps, rows)


def together(found: Sequence[Course]) -> Noise:
    """Student's interval of the logarithms over the seeds. Raises Refused where a seed's gradient cannot be told from its noise."""
    logs = []
    for one in found:
        if not one.scale > 0:
            raise Refused(messages.FIND_BATCH_LOST, seed=one.seed)
        logs.append(math.log(one.scale))
    low, high = interval(np.array(logs), level=0.95) if len(logs) > 1 else (logs[0], logs[0])
    return Noise(math.exp(fmean(logs)), math.exp(low), math.exp(high))


def useful(noise: Noise, rows: int) -> int:
    """The power of two nearest to the scale, at most the number of train rows."""
    return max(1, min(2 ** round(math.log2(max(noise.scale, 1.0))), rows))


def _parts(run: Run, rows: int) -> list[Batch]:
    """Equal micro-batches, at least eight where there are rows for it, from the beginning of the pass after the one that `run` is in."""
    first = (run.step // run.plan.steps_per_epoch + 1) * run.plan.steps_per_epoch
    stream = iter(run.wrap("stream", run.placement.stream(run.data.train, run.plan, first, first + run.plan.steps_per_epoch)))
    size = max(1, min(run.plan.at_once, max(2, rows // 8), run.placement.step_rows or rows))
    found: list[Batch] = []
    while len(found) * size < rows:
        batches = run._take(stream)
        if not batches:
            break
        for batch in batches:
            ids = torch.arange(len(batch.ids))
            whole: list[Tensor] = [part for part in ids.split(size) if len(part) == size]
            found += [replace(taken(batch, part), place=batch.place + (int(part[0]) << 10), last=True) for part in whole]
    close = getattr(stream, "close", None)
    if close:
        close()
    found = found[: rows // size]
    if len(found) < 2:
        raise Refused(messages.FIND_BATCH_ROWS, rows=rows)
    return [one for part in found for one in run._take(iter([part]))]
