"""Being told to stop: SIGTERM, SIGINT (Ctrl-C) and SIGUSR1 end a run after the step that is going on, with everything saved.

Where nothing is under way that must be saved (data is being prepared, a finished model is being tested), a signal ends it at once. A step
that does not end within `GRACE` seconds (a long validation) is given up: the run goes on from its newest checkpoint.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from danlu import messages
from danlu.errors import SAVED_RUN_AGAIN, Trouble

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR1") if hasattr(signal, name)]
GRACE = 4.0  # seconds


class Stopped(Trouble):
    """A signal ended the run; it is saved, and the same command goes on."""

    code = SAVED_RUN_AGAIN


class Stop:
    """While entered (in the main thread), `asked` says that a signal came. A second Ctrl-C does not wait: it raises KeyboardInterrupt."""

    def __init__(self) -> None:
        self.asked = 0  # the signal's number
        self._before: dict[int, Any] = {}
        self._in_steps = self._saving = False
        self._process = os.getpid()

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():  # elsewhere Python allows no handlers; the main thread has its own
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
            if hasattr(signal, "SIGALRM"):
                self._before[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._late)
        return self

    def __exit__(self, *_: object) -> None:
        self._alarm(0)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def in_steps(self) -> Iterator[None]:
        """Inside, whoever takes the steps looks at `asked` after each; outside, a signal raises Stopped where it comes."""
        self._in_steps = True
        try:
            yield
        finally:
            self._in_steps = False
            self._alarm(0)

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Inside, a step is not given up: what is being written is what the signal asks for."""
        before, self._saving = self._saving, True
        try:
            yield
        finally:
            self._saving = before

    def _note(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:  # a forked data worker: Ctrl-C goes to all of them, and is the parent's to answer
            if number == signal.SIGTERM:
                signal.signal(number, signal.SIG_DFL)
                os.kill(os.getpid(), number)
            return
        if self.asked == number == signal.SIGINT:
            raise KeyboardInterrupt
        if not self.asked and self._in_steps:
            self._alarm(GRACE)
        self.asked = number
        if not self._in_steps:
            raise Stopped(messages.STOPPED_AT_ONCE, signal=signal.Signals(number).name)

    def _late(self, number: int, frame: FrameType | None) -> None:
        if self._in_steps and not self._saving:
            raise Stopped(messages.STOPPED_IN_STEP, signal=signal.Signals(self.asked).name, grace=GRACE)

    def _alarm(self, seconds: float) -> None:
        if hasattr(signal, "SIGALRM") and signal.SIGALRM in self._before:
            signal.setitimer(signal.ITIMER_REAL, seconds)
