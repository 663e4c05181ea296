"""Is the loss of the fresh model what a model that knows nothing should have?"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from danlu import messages
from danlu.check.certificate import FAILED, NOTE, OK, Line, line
from danlu.check.plain import Look, Plain
from danlu.check.trial import Trial
from danlu.core import Batch, Run
from danlu.losses.criterion import forward
from danlu.losses.parts import mapped
from danlu.losses.returned import returned_loss

# Losses of free scores, where an output of zeros says nothing about the row: they have a value at the start that everybody expects.
SCORES = ("cross_entropy", "CrossEntropyLoss", "binary_cross_entropy", "BCEWithLogitsLoss", "focal", "hinge")
HIGH, FAR, LOW = 2.0, 4.0, 0.5  # of what is predicted


def start(trial: Trial) -> Line:
    """Predicted: the loss at outputs of zero, and at outputs drawn from a standard normal distribution; the larger of the two.

    For cross-entropy over C classes that is log C and a little more; for targets that are standardised and their squares, one to two.
    """
    run = trial.fresh
    found, _, look = trial.looks[0]
    name = run.criterion.loss_name
    zero, drawn = _predicted(Plain(run, trial.rows, torch.float32), run, look)
    if not math.isfinite(found):
        return line("start", FAILED, messages.CHECK_START_NAN, loss=found)
    figures = {"loss": found, "zero": zero, "drawn": drawn, "name": name}
    if not (zero is not None and drawn is not None and max(zero, drawn) > 0):
        return line("start", OK, messages.CHECK_START_UNKNOWN, **figures)
    expected = max(zero, drawn)
    figures["expected"] = expected
    if found > HIGH * expected:
        verdict = FAILED if found > FAR * expected and name in SCORES else NOTE
        return line("start", verdict, messages.CHECK_START_HIGH, ratio=found / expected, **figures)
    if name in SCORES and found < LOW * zero:
        return line("start", NOTE, messages.CHECK_START_LOW, **figures)
    return line("start", OK, messages.CHECK_START_OK, **figures)


def _predicted(plain: Plain, run: Run, look: Look) -> tuple[float | None, float | None]:
    """The loss at outputs of zero and of standard normal numbers; None for a loss that cannot be had from outputs alone."""
    if run.criterion.whole is not None:
        return None, None
    ids = torch.cat(look.parts)
    inputs, targets = plain.rows(ids, look.draw)
    plain.model.eval()
    with torch.no_grad():
        output = forward(plain.model, inputs)
    if returned_loss(output) is not None:
        return None, None
    draws = torch.Generator().manual_seed(0)
    noise = lambda x: torch.randn(x.shape, generator=draws).to(x) if x.is_floating_point() else x
    return _mean(run, mapped(torch.zeros_like, output), targets, ids), _mean(run, mapped(noise, output), targets, ids)


def _mean(run: Run, output: Any, targets: Any, ids: Tensor) -> float | None:
    batch = Batch(None, targets, ids.to(run.placement.device))
    try:
        terms = run.criterion.sums(output, batch).terms
        counts = {"rows": len(ids), "once": 1.0, **run.criterion.counts(batch)}
        value = sum(float(value) / float(counts[per]) for value, per in terms.values())
    except Exception:  # a loss that wants probabilities, say
        return None
    return value if math.isfinite(value) else None
