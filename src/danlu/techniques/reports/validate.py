"""Measure the model on validation data during training, and say when it is the best so far.

When it helps: always; without it nobody knows what was learned. What it costs: one forward over the validation rows each time.
When not to use it: never on the test rows; those are read once, at the end.
Scope: 2.10, 7.1
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from danlu.core import Report, Reports, Run, Technique
from danlu.errors import BadInput
from danlu.fields import NonNegativeInt
from danlu.messages import WATCHED_MISSING
from danlu.metrics.score import score

_SMALLER_IS_BETTER = ("loss", "rmse", "mae", "perplexity", "bits_per_byte", "error", "nll")


def mode_of(watch: str) -> str:
    """ "min" for losses and errors, "max" for everything else."""
    return "min" if watch.removeprefix("val_").startswith(_SMALLER_IS_BETTER) else "max"


def better(value: float, best: float | None, mode: str, threshold: float = 0.0) -> bool:
    """Whether `value` improves on `best` by more than `threshold`."""
    if value != value:
        return False
    return best is None or (value < best - threshold if mode == "min" else value > best + threshold)


@dataclass
class Validate(Technique):
    """Add val_loss and the recipe's metrics to the report, every so many steps and after the last one.

    every: steps between two measurements; 0 is once an epoch
    watch: the metric that decides which step is the best
    mode: whether small or large is better; auto knows losses and errors
    weights: measure the model's own weights, or an average that a technique keeps
    中文: 训练中定期在验证集上评估，并标记目前最好的一步。
    """

    every: NonNegativeInt = 0
    watch: str = "val_loss"
    mode: Literal["auto", "min", "max"] = "auto"
    weights: Literal["auto", "raw", "ema"] = "auto"

    state: ClassVar = ("best", "best_step")
    best = None  # type: float | None  # where the state starts
    best_step = 0
    neutral: ClassVar = {}
    changes: ClassVar = "reports"

    def wrap_reports(self, reports: Reports, run: Run) -> Reports:
        mode = mode_of(self.watch) if self.mode == "auto" else self.mode
        every = self.every or run.plan.steps_per_epoch
        run.kept_weights(self.weights)  # an average that nobody keeps is found missing now, not after the first steps
        for report in reports:
            if report.step % every == 0 or report.step == run.total:
                self._measure(report, run, mode)
            yield report

    def _measure(self, report: Report, run: Run, mode: str) -> None:
        report.metrics.update(score(run, run.data.val, "val_", run.kept_weights(self.weights)))
        if self.watch not in report.metrics:
            raise BadInput(WATCHED_MISSING, watch=self.watch, technique="validate", found=", ".join(sorted(report.metrics)))
        value = report.metrics[self.watch]
        if value is not None and better(value, self.best, mode):
            self.best, self.best_step = value, report.step
            report.save.add("best")
