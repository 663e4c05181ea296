"""How far a run is, in one plain line now and then: for `train.log`, and for outputs that are no terminal."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from danlu import messages
from danlu.errors import say

if TYPE_CHECKING:
    from danlu.core import Report, Run


class Progress:
    """A watcher: every `seconds`, and after the last step, it gives `write` a line with step, loss, metrics, rate and time left."""

    def __init__(self, write: Callable[[str], None], seconds: float = 30.0):
        self.write, self.seconds = write, seconds
        self.metrics: dict[str, float] = {}
        self._since: tuple[float, int] | None = None  # when the last line was written, and at which step

    def __call__(self, report: Report, run: Run) -> None:
        now = time.monotonic()
        if self._since is None:
            self._since = (now, report.step)
        if report.metrics:
            self.metrics.update({name: v for name, v in report.metrics.items() if isinstance(v, float) and name.startswith("val_")})
        began, first = self._since
        if now - began >= self.seconds or report.step == run.total:
            rate = (report.step - first) / (now - began) if now > began else 0.0
            self._since = (now, report.step)
            self.write(line(report, run.total, rate, self.metrics))


def line(report: Report, total: int, rate: float, metrics: dict[str, float]) -> str:
    """`step 120/500  epoch 2.4  loss 0.31  val_accuracy 0.97  83 steps/s  left 0:05`. rate: steps a second; 0 when it is not known."""
    parts = [
        say(messages.STEP_OF, step=report.step, total=total),
        say(messages.EPOCH, epoch=f"{report.epoch:.2f}"),
        f"loss {float(report.loss):.4g}",
    ]
    parts += [f"{name} {value:.4g}" for name, value in metrics.items()]
    if rate:
        parts += [say(messages.STEPS_A_SECOND, rate=f"{rate:.3g}"), say(messages.TIME_LEFT, time=duration((total - report.step) / rate))]
    return "  ".join(parts)


def duration(seconds: float) -> str:
    """`0:05`, `12:30`, `1:02:05`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
