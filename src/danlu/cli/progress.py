"""What a person sees while a run goes on: a bar in a terminal, a plain line now and then elsewhere.

The loss is read from its device only when the bar is drawn, at most four times a second.
"""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from typing import TYPE_CHECKING, TextIO

from danlu import messages
from danlu.cli.text import width
from danlu.errors import say

if TYPE_CHECKING:
    from rich.console import Console

    from danlu.core import Report, Run

BETWEEN = 0.25  # seconds between two drawings
REMEMBERED = 40  # drawings that the rate is taken over


def draws(stream: TextIO) -> bool:
    """Whether a bar may be drawn there: a terminal that moves its cursor, and nobody asked for plain text."""
    return stream.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")


class Bar:
    """A watcher: one line with the share done, steps and rows a second, the loss, the newest metrics, and the time left."""

    def __init__(self, name: str, console: Console):
        from rich.progress import BarColumn, Progress, TextColumn

        said = TextColumn("{task.fields[said]}", markup=False)
        self._room = console.width - width(name) - (bar := 16 if console.width >= 100 else 8) - 3  # columns for words
        self._bar = Progress(TextColumn(name, markup=False), BarColumn(bar), said, console=console, auto_refresh=False)
        self._task = self._bar.add_task("", total=None, said="")
        self._seen: deque[tuple[float, int]] = deque(maxlen=REMEMBERED)
        self._next = 0.0
        self._metrics: dict[str, float | None] = {}

    def __enter__(self) -> Bar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def tell(self, sentence: str) -> None:
        """Print a sentence above the bar."""
        self._bar.console.print(sentence, markup=False, highlight=False, soft_wrap=True)

    def __call__(self, report: Report, run: Run) -> None:
        if report.metrics:
            self._metrics |= {name: value for name, value in report.metrics.items() if name.startswith("val_")}
        now = time.monotonic()
        if now < self._next and report.step != run.total:
            return
        self._next = now + BETWEEN
        self._seen.append((now, report.step))
        self._bar.update(self._task, total=run.total, completed=report.step, said=self._said(report, run), refresh=True)

    def _said(self, report: Report, run: Run) -> str:
        from danlu.run.progress import duration

        (began, first), (now, step) = self._seen[0], self._seen[-1]
        rate = (step - first) / (now - began) if now > began else 0.0
        rows = rate * run.plan.rows / run.plan.steps_per_epoch
        metrics = [f"{name} {value:.4g}" for name, value in self._metrics.items() if value is not None]
        parts = [(0, f"{step:,}/{run.total:,}"), (1, f"loss {float(report.loss):.4g}")]  # the first go last where room is short
        parts += [(6 if place < len(metrics) - 1 else 3, metric) for place, metric in enumerate(metrics)]
        if rate:
            parts.append((4, say(messages.STEPS_A_SECOND, rate=f"{rate:,.3g}" if rate < 1000 else f"{rate:,.0f}")))
            parts.append((5, say(messages.ROWS_A_SECOND, rate=f"{rows:,.0f}")))
            parts.append((2, say(messages.TIME_LEFT, time=duration((run.total - step) / rate))))
        while len(parts) > 1 and width("  ".join(text for _, text in parts)) > self._room:
            parts.remove(max(parts))
        return "  ".join(text for _, text in parts)


class Lines:
    """The same for an output that is no terminal: sentences, and one plain line every 30 seconds."""

    def __init__(self) -> None:
        from danlu.run.progress import Progress

        self._lines = Progress(self.tell)

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def tell(self, sentence: str) -> None:
        print(sentence, file=sys.stderr, flush=True)

    def __call__(self, report: Report, run: Run) -> None:
        self._lines(report, run)


def watcher(name: str) -> Bar | Lines:
    """What suits standard error: results alone go to standard output."""
    if not draws(sys.stderr):
        return Lines()
    from rich.console import Console

    return Bar(name, Console(stderr=True))
