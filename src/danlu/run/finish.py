"""The end of a run: the test rows are looked at once, with the weights that validation chose; what came out is written and said."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from danlu import messages
from danlu.errors import say
from danlu.metrics.score import score
from danlu.run import checkpoint, log, report
from danlu.run.plot import plot
from danlu.techniques.reports.early_stop import EarlyStop
from danlu.techniques.reports.validate import Validate

if TYPE_CHECKING:
    from collections.abc import Callable

    from danlu.core import Run
    from danlu.run.session import Session

PICTURE = "curves.png"


@dataclass(frozen=True)
class Result:
    """What a training left. metrics: the test figures, when the data has a test split. best_step: the step whose weights they are of."""

    folder: Path
    step: int
    best_step: int | None
    metrics: dict[str, float | None]


def finish(session: Session) -> Result:
    """Look at the test rows, once, with the weights that validation chose; say what came out."""
    run, path = session.run, session.folder.path
    if session.done:
        if not (path / PICTURE).exists():  # an earlier start was stopped before it came to that
            _pages(path)
        session.tell(messages.FINISHED_BEFORE, step=session.done["step"], folder=path)
        return Result(path, session.done["step"], session.done["best_step"], session.done["metrics"])
    step, epoch = run.step, run.step / run.plan.steps_per_epoch
    run.placement.everyone(None)  # every checkpoint is written: all processes choose from the same
    weights, best_step, kind = choose(run, session.folder.checkpoints, session.tell)
    tensors = exported(run, weights)
    scores = score(run, run.data.test, "test_", weights) if run.data.test is not None else {}
    metrics = {name: value for name, value in log.plain(scores).items() if name in scores}
    if metrics:
        session.metrics.add(step=step, epoch=round(epoch, 6), best_step=best_step, **metrics)
    session.metrics.sync()
    try:
        digest = checkpoint.export(tensors, path / report.WEIGHTS)
        session.events.tell("done", step, best_step=best_step, weights=kind, sha256=digest, metrics=metrics)
        page = _pages(path)
    except OSError as error:
        raise checkpoint.no_space(error, path, sum(t.nbytes for t in tensors.values())) from error
    shown = "  ".join(f"{name} {value:.4g}" for name, value in metrics.items() if value is not None)
    session.note_text(say(messages.FINISHED, step=step, metrics=shown, page=page))  # the caller says it in its own way
    return Result(path, step, best_step, metrics)


def _pages(path: Path) -> Path:
    """Write the report and the picture."""
    page = report.write(path)
    os.chmod(plot([path], out=path / PICTURE), 0o600)
    return page


def exported(run: Run, weights: dict[str, Tensor] | None) -> dict[str, Tensor]:
    """The weights to export, whole: those that were chosen, or the model's own. All processes take part where weights lie in parts."""
    found: dict[str, Tensor] = run.placement.weights(run.model) if weights is None else run.placement.gathered(weights)
    return found


def choose(run: Run, checkpoints: Path, tell: Callable[..., None]) -> tuple[dict[str, Tensor] | None, int | None, str]:
    """The weights to test, the step they are of, and their kind: what early stopping put back, else the best step's, else the last.

    tell: is called with a sentence and its values.
    """
    for technique in run.techniques:
        if isinstance(technique, EarlyStop) and technique.best_weights is not None:
            return None, technique.best_step, "restored"
    best, step = checkpoint.named(checkpoints, "best"), None
    if best is not None:
        try:
            run.load(checkpoint.read(best))
            step = run.step
        except checkpoint.Broken as reason:
            tell(messages.PASSED_OVER, reason=reason, folder=f"step-{run.step}")
    weights = run.kept_weights(next((t.weights for t in run.techniques if isinstance(t, Validate)), "auto"))
    return weights, step, "raw" if weights is None else "ema"
