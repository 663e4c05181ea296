"""The learning-rate range test: train a while with a rate that grows by equal ratios, and see where the loss falls and breaks.

Smith 2017, "Cyclical learning rates for training neural networks"; here with a fitted suggestion and its spread over seeds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from danlu import messages
from danlu.core import Recipe, Run, Technique
from danlu.errors import Refused
from danlu.optim.schedules import Factor

SMOOTH = 0.03  # of the test's length: the standard deviation of the smoothing over steps
ROUGH = 3.0  # times what the loss had fallen: a rise above its start by so much ends the test


@dataclass(frozen=True)
class Trace:
    """One range test.

    rates, losses: at each step; smooth: the losses smoothed. start, end: the rates between which the fitted loss falls.
    """

    seed: int
    rates: np.ndarray
    losses: np.ndarray
    smooth: np.ndarray
    start: float
    end: float

    @property
    def suggestion(self) -> float:
        """A fifth of the way back from the end of the fall, on the logarithmic scale: docs/log.md has the rules it was chosen from."""
        return self.end * (self.start / self.end) ** (1 / 5)


def growing(low: float, high: float, steps: int) -> Factor:
    """The rate itself over the steps: `low` at the first, `high` at the last, equal ratios between."""
    return lambda step: low * (high / low) ** (min(step, steps - 1) / max(steps - 1, 1))


def range_test(run: Run, low: float = 1e-6, high: float = 10.0, steps: int = 200) -> Trace:
    """Test rates from `low` to `high` from where `run` is, on a copy: the run itself is left as it was.

    Raises Refused if the loss never falls.
    Techniques that only watch (validation, early stopping, checkpoints) are left out. All groups keep their ratios to the first one's rate.
    """
    watching = [t for t in run.recipe.techniques if not trains(t)]
    kept = tuple(t for t in run.recipe.techniques if t not in watching)
    with run.fork(schedule=None, validate=False, techniques=kept, epochs=None, steps=run.step + steps) as trial:
        base, first, grow = trial.optimizer.param_groups[0]["lr"], trial.step, growing(low, high, steps)
        trial.schedule = lambda step: grow(step - first) / base
        rates, losses = [], []
        for report in trial:
            loss = float(report.loss)
            if not math.isfinite(loss) or not report.outcome.moved:
                break
            rates.append(report.lr)
            losses.append(loss)
            if _broken(losses, steps):
                break
    return trace(run.seed, np.array(rates), np.array(losses), steps)


def range_tests(recipe: Recipe, seeds: Sequence[int], low: float = 1e-6, high: float = 10.0, steps: int = 200) -> Iterator[Trace]:
    """The same from fresh models of a recipe, one for each seed, each with its own order of the data."""
    data = None
    for seed in seeds:
        with Run(replace(recipe, seed=seed), data=data) as run:
            data = run.data
            yield range_test(run, low, high, steps)


def trace(seed: int, rates: np.ndarray, losses: np.ndarray, steps: int) -> Trace:
    """Smooth the losses and fit them with a level followed by a straight fall over the logarithm of the rate, up to where they are lowest.

    Least squares over where the fall starts. Raises Refused where there are too few losses, or they never fall.
    """
    if len(losses) < 10:
        raise Refused(messages.FIND_LR_SHORT, steps=len(losses), rate=f"{rates[-1] if len(rates) else math.nan:.2g}")
    smooth = smoothed(losses, max(1.0, SMOOTH * steps))
    bottom = int(smooth.argmin())
    x, y = np.log(rates[: bottom + 1]), smooth[: bottom + 1]
    found = min(((*_level_and_fall(x, y, place), place) for place in range(max(len(x) - 3, 0))), default=None)
    if found is None or found[1] >= 0:
        raise Refused(messages.FIND_LR_FLAT, low=f"{rates[0]:.2g}", high=f"{rates[-1]:.2g}")
    return Trace(seed, rates, losses, smooth, float(rates[found[2]]), float(rates[bottom]))


def smoothed(values: np.ndarray, deviation: float) -> np.ndarray:
    """A Gaussian mean over neighbours, its weights cut and normalised at the ends."""
    places = np.arange(len(values))
    weights = np.exp(-0.5 * ((places[:, None] - places[None]) / deviation) ** 2)
    mean: np.ndarray = weights @ values / weights.sum(1)
    return mean


def _level_and_fall(x: np.ndarray, y: np.ndarray, place: int) -> tuple[float, float]:
    """The squared error and the slope of the best level up to `place` with a straight line from there on."""
    columns = np.stack([np.ones_like(x), np.maximum(x - x[place], 0)], 1)
    (level, slope), *_ = np.linalg.lstsq(columns, y, rcond=None)
    return float(((columns @ (level, slope) - y) ** 2).sum()), float(slope)


def _broken(losses: list[float], steps: int) -> bool:
    """The loss, over the last few steps, has risen far above where it started."""
    few = max(3, steps // 40)
    if len(losses) < 2 * few:
        return False
    start, now = float(np.mean(losses[:few])), float(np.mean(losses[-few:]))
    best = min(float(np.mean(losses[place : place + few])) for place in range(0, len(losses) - few + 1, few))
    return now > start + ROUGH * max(start - best, 0.1 * abs(start))


def trains(technique: Technique) -> bool:
    """It changes more than the reports."""
    seams = ("model", "stream", "objective", "gradient", "update")
    return any(getattr(type(technique), f"wrap_{seam}") is not getattr(Technique, f"wrap_{seam}") for seam in seams)
