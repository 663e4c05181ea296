"""The certificate before a run: the user's own recipe on a few real batches, beside a plain loop that shares nothing with danlu's.

One check a file, each a function of the trial that returns a line: ok, a note, or failed, with what was measured. `certify` makes them
all, or finds what an earlier start of the same recipe, code and data on this machine found. Nothing that a run owns is touched.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from danlu import messages
from danlu.check.alive import techniques
from danlu.check.certificate import FAILED, NOTE, Certificate, Line, digest, find, keep, line
from danlu.check.cost import cost
from danlu.check.gradient import gradient
from danlu.check.overfit import overfit
from danlu.check.rows import rows
from danlu.check.settings import settings
from danlu.check.start import start
from danlu.check.steps import steps
from danlu.check.touched import touched
from danlu.check.trial import Trial, undisturbed
from danlu.core import Run
from danlu.errors import Trouble
from danlu.run.record import now

CHECKS: dict[str, Callable[[Trial], Line]] = {
    "rows": rows, "start": start, "gradient": gradient, "steps": steps, "tensors": touched, "overfit": overfit,
    "techniques": techniques, "settings": settings, "cost": cost,
}  # fmt: skip

__all__ = ["CHECKS", "FAILED", "Certificate", "Line", "certify"]


def certify(run: Run, again: bool = False) -> Certificate:
    """The certificate of the run's recipe on its data. The run itself, and every random generator, stay as they are.

    again: look even if a certificate is kept. A check that cannot look at this recipe (a model that knows no float64, say) makes a note.
    """
    key = digest(run)
    if not again and (kept := find(key)) is not None:
        return kept
    began, made = time.perf_counter(), now()
    with undisturbed(run.placement.device):
        trial = Trial(run)
        lines = tuple(_looked(name, check, trial) for name, check in CHECKS.items())
        trial.close()
        whole = not trial.late
    certificate = Certificate(lines, made, round(time.perf_counter() - began, 2), key)
    if whole:  # else another start may get further
        keep(certificate)
    return certificate


def _looked(name: str, check: Callable[[Trial], Line], trial: Trial) -> Line:
    if trial.late:
        return line(name, NOTE, messages.CHECK_LATE, seconds=time.monotonic() - trial.began)
    try:
        return check(trial)
    except Exception as error:
        text = str(error) if isinstance(error, Trouble) else f"{type(error).__name__}: {error}"
        return line(name, NOTE, messages.CHECK_NOT_LOOKED, reason=" ".join(text.split())[:200])
