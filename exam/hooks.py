"""What is done to a forked command before it begins, named in its request (see `forked`): it stops, pauses or fails at a chosen point."""

from __future__ import annotations

import os
import signal
from typing import Any


def at_step(step: int, number: int = signal.SIGKILL, again: float = 0.0) -> None:
    """Send this process a signal when step `step` has been taken; a second one `again` seconds later, if that is not 0."""
    from danlu.run.session import Session

    noted = Session.note

    def note(self: Any, found: Any) -> None:
        noted(self, found)
        if found.step == step:
            os.kill(os.getpid(), number)

    Session.note = note  # type: ignore[method-assign]
