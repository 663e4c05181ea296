"""Do a few steps move the parameters as a loop written by hand does? In float64, where a difference is a mistake and not rounding."""

from __future__ import annotations

import math

from danlu import messages
from danlu.check.certificate import FAILED, NOTE, OK, Line, line
from danlu.check.trial import Trial

BOUND = 1e-9


def steps(trial: Trial) -> Line:
    """Order of the rows, accumulation, buffers, rate, schedule and optimiser, without the recipe's techniques."""
    if trial.device.type == "mps":
        return line("steps", NOTE, messages.CHECK_NO_FLOAT64, device=str(trial.device))
    found = trial.followed
    name = max(found.apart, key=lambda key: math.inf if math.isnan(found.apart[key]) else found.apart[key])
    figures = {"steps": found.steps, "error": found.apart[name], "bound": BOUND, "name": name, "gradient": found.gradient}
    figures["loss"] = found.loss
    if found.apart[name] <= BOUND and found.loss <= BOUND:
        return line("steps", OK, messages.CHECK_STEPS_OK, **figures)
    where = messages.CHECK_STEPS_UPDATE if found.gradient <= BOUND else messages.CHECK_STEPS_GRADIENT
    return line("steps", FAILED, messages.CHECK_STEPS_WRONG, where, **figures)
