"""Is the gradient of a step the gradient of the mean over its rows? In the recipe's precision, at the same parameters."""

from __future__ import annotations

import torch

from danlu import messages
from danlu.check.certificate import FAILED, NOTE, OK, Line, line
from danlu.check.plain import Look, Plain, gradients
from danlu.check.trial import Trial, distance
from danlu.core import Run

FLOOR = {"fp32": 1e-5, "fp64": 1e-9, "bf16": 1e-3, "fp16": 1e-3}
SLACK = 10  # of what rounding alone was measured to do
LOW = {"bf16": torch.bfloat16, "fp16": torch.float16}


def gradient(trial: Trial) -> Line:
    """Accumulation, denominators, autocast and loss scale, against the model on all rows at once with the loss's plain mean.

    The bound is what the precision explains: for float32 and float64, ten times what rounding does to the reference itself (float32 beside
    float64), at least 1e-5 and 1e-9; for the low ones, ten times what torch's own autocast does to the reference.
    """
    precision, run = trial.recipe.precision, trial.fresh
    worst, bound, ratio, off = 0.0, FLOOR[precision], 1.0, 0.0
    for loss, found, look in trial.looks:
        plain = Plain(run, trial.rows, torch.float64 if precision == "fp64" else torch.float32)
        expected = plain.gradient(look)
        wanted = gradients(plain.model)
        error = distance(found, wanted)
        bound = max(bound, SLACK * _rounding(run, trial, look, wanted))
        off = max(off, abs(loss - expected) / max(abs(expected), 1e-12))
        if not error < worst:  # not a number, too
            inner = sum(float((found[name] * value).sum()) for name, value in wanted.items())
            worst, ratio = error, inner / max(sum(float(value.square().sum()) for value in wanted.values()), 1e-60)
    micro = -(-trial.small.batch_size // (trial.small.micro_batch_size or trial.small.batch_size))
    figures = {"error": worst, "bound": bound, "loss": off, "ratio": ratio, "precision": precision, "micro": micro,
               "rows": trial.small.batch_size, "how": messages.CHECK_SPLIT if micro > 1 else messages.CHECK_WHOLE}  # fmt: skip
    if worst <= bound:
        return line("gradient", OK, messages.CHECK_GRADIENT_OK, **figures)
    if worst <= 100 * bound and trial.device.type != "mps" and trial.followed.gradient <= FLOOR["fp64"]:
        return line("gradient", NOTE, messages.CHECK_GRADIENT_KINK, exact=trial.followed.gradient, **figures)
    scaled = abs(ratio - 1) > 0.02 and worst < 1.2 * abs(ratio - 1)
    return line("gradient", FAILED, messages.CHECK_GRADIENT_LENGTH if scaled else messages.CHECK_GRADIENT_WRONG, **figures)


def _rounding(run: Run, trial: Trial, look: Look, wanted: dict[str, torch.Tensor]) -> float:
    """How far the precision alone moves the reference's gradient."""
    precision = trial.recipe.precision
    if precision == "fp64" or (precision == "fp32" and trial.device.type == "mps"):
        return 0.0
    exact = precision == "fp32"
    other = Plain(run, trial.rows, torch.float64 if exact else torch.float32, LOW.get(precision))
    try:
        other.gradient(look)
    except Exception:  # a model that insists on float32
        return 0.0
    return distance(gradients(other.model), wanted)
