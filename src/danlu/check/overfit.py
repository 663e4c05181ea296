"""Can the recipe learn one batch by heart? With its own rate, optimiser and techniques."""

from __future__ import annotations

import math
from dataclasses import replace

from danlu import messages
from danlu.check.certificate import FAILED, NOTE, OK, Line, line
from danlu.check.trial import Trial, batches_of, overrides
from danlu.core import Recipe
from danlu.errors import Trouble

ROWS = 32
HALF = 0.5  # of the loss at the start: fallen so far, it is learned
NOTHING = 0.02  # of it: what falls less over the whole training, does not learn


def overfit(trial: Trial) -> Line:
    """One batch again and again, always under the same random key, with the rate going up as the schedule does and staying at its top.

    Few steps are made. A rate for fine-tuning does not get far in them, so what they lowered the loss by is laid over all the steps of
    the recipe; only what will not move in the whole training, or never goes down, is refused.
    """
    recipe = _small(trial)
    number = {2: 8, 3: 16}.get(trial.steps, 40)
    losses: list[float] = []
    with trial.run(recipe) as run:
        batches = next(batches_of(run, 1))
        for k in range(number):
            run.step = min(trial.peak, trial.peak * (k + 1) * 4 // number)
            run.placement.begin()
            losses.append(float(run.update(lambda: run.gradient(run.objective, batches)).loss))
            if k > 5 and losses[-1] < 0.1 * abs(losses[0]):
                break
        lr = run.optimizer.param_groups[0]["lr"]
    first, last, best = losses[0], losses[-1], min((x for x in losses if math.isfinite(x)), default=math.nan)
    size = abs(first) or 1.0
    fallen = (first - best) / size
    whole = fallen * max(1.0, trial.total / len(losses))  # a recipe of fewer steps than were made here is not blamed for being short
    figures = {"first": first, "last": last, "best": best, "steps": len(losses), "lr": lr, "rows": sum(len(b.ids) for b in batches),
               "total": trial.total, "share": 100 * whole}  # fmt: skip
    if not math.isfinite(last):
        return line("overfit", FAILED, messages.CHECK_OVERFIT_NAN, **figures)
    if whole < NOTHING:
        rises = last > first + NOTHING * size
        return line("overfit", FAILED, messages.CHECK_OVERFIT_RISES if rises else messages.CHECK_OVERFIT_STANDS, **figures)
    if last > first:
        return line("overfit", NOTE, messages.CHECK_OVERFIT_BACK, **figures)
    if fallen < HALF and whole < HALF:
        return line("overfit", NOTE, messages.CHECK_OVERFIT_SLOW, **figures)
    return line("overfit", OK, messages.CHECK_OVERFIT_OK if fallen >= HALF else messages.CHECK_OVERFIT_ON_THE_WAY, **figures)


def _small(trial: Trial) -> Recipe:
    """The recipe without what changes the rows (a blend cannot be learned by heart), in one small batch where that is allowed."""
    kept = tuple(technique for technique in trial.recipe.techniques if not overrides(technique, "stream"))
    recipe = replace(trial.small, techniques=kept)
    size = min(recipe.batch_size, 1 if trial.costly else ROWS)
    fewer = replace(recipe, batch_size=size, micro_batch_size=None)
    try:
        with trial.run(fewer):
            return fewer
    except Trouble:
        return recipe
