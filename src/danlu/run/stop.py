"""Being told to stop: SIGTERM, SIGINT (Ctrl-C) and SIGUSR1 end a run after the step that is going on, with everything saved."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from danlu.errors import SAVED_RUN_AGAIN, Trouble

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR1") if hasattr(signal, name)]


class Stopped(Trouble):
    """A signal ended the run; it is saved, and the same command goes on."""

    code = SAVED_RUN_AGAIN


class Stop:
    """While entered (in the main thread), `asked` says that a signal came. A second Ctrl-C does not wait: it raises KeyboardInterrupt."""

    def __init__(self) -> None:
        self.asked = 0  # the signal's number
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():  # elsewhere Python allows no handlers; the main thread has its own
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked == number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = number
