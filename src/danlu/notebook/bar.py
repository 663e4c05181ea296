"""How far a run is, where a person looks: one line that is drawn over in a notebook, the command line's own bar elsewhere."""

from __future__ import annotations

import sys
import time
from html import escape
from typing import TYPE_CHECKING, Any, Protocol, Self

from danlu import messages
from danlu.cli.progress import Bar, Lines, watcher
from danlu.errors import say
from danlu.run.progress import line

if TYPE_CHECKING:
    from danlu.core import Report, Run

BETWEEN = 0.5  # seconds between two drawings: each is a message to the page, and is kept with the notebook


class Shown(Protocol):
    """Told each report of a run, and sentences."""

    def tell(self, sentence: str) -> None: ...

    def __call__(self, report: Report, run: Run) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def teller(progress: bool) -> Shown | Bar | Lines:
    """What suits where we are; without `progress` only sentences."""
    if not progress:
        return Sentences()
    return NotebookBar() if in_notebook() else watcher("fit")


def in_notebook() -> bool:
    """Whether a kernel runs us, which shows HTML: Jupyter, VS Code, Colab."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)
    return hasattr(get_ipython(), "kernel")


class Sentences:
    """Sentences alone, on standard error."""

    def tell(self, sentence: str) -> None:
        print(sentence, file=sys.stderr, flush=True)

    def __call__(self, report: Report, run: Run) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class NotebookBar(Sentences):
    """A bar and a line of figures in one output that is drawn over, so that a notebook keeps the last one alone; needs no widgets."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._next = 0.0
        self._seen: tuple[float, int] | None = None
        self._metrics: dict[str, float] = {}

    def tell(self, sentence: str) -> None:
        print(sentence, flush=True)

    def __call__(self, report: Report, run: Run) -> None:
        self._metrics |= {name: value for name, value in report.metrics.items() if name.startswith("val_") and isinstance(value, float)}
        now = time.monotonic()
        self._seen = self._seen or (now, report.step)
        if now < self._next and report.step != run.total:
            return
        self._next = now + BETWEEN
        began, first = self._seen
        rate = (report.step - first) / (now - began) if now > began else 0.0
        self._draw(report.step / run.total, line(report, run.total, rate if report.step < run.total else 0.0, self._metrics))

    def _draw(self, share: float, words: str) -> None:
        from IPython.display import display

        page = {"text/html": bar(share, words), "text/plain": words}
        if self._handle is None:
            self._handle = display(page, raw=True, display_id=True)
        else:
            self._handle.update(page, raw=True)


def bar(share: float, words: str) -> str:
    """A bar that is `share` (0 to 1) full, and words, as HTML that is readable on light and on dark."""
    name = escape(say(messages.FIT_PROGRESS), quote=True)
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:.3em 1em;align-items:center;font-size:.9em">'
        f'<progress aria-label="{name}" value="{share:.4f}" max="1" style="width:14em"></progress>'
        f'<code style="background:none;white-space:pre-wrap">{escape(words)}</code></div>'
    )
