"""When and how a run's checkpoints are written: here, or beside the training; which stay is the `checkpoint` technique's to say."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from danlu.run import checkpoint
from danlu.techniques.reports.checkpoint import Checkpoint

if TYPE_CHECKING:
    from danlu.core import Run
    from danlu.run.tree import Files


class Saver:
    """Saves one run. A save in the background owns copies; the next one waits for it, and its error comes out at the next `check`.

    done: called with (step, best) once a checkpoint is durable, in the training's own thread.
    """

    def __init__(self, run: Run, checkpoints: Path, done: Callable[[int, bool], None]):
        self.run, self.checkpoints, self._done = run, checkpoints, done
        self.policy = next((t for t in run.techniques if isinstance(t, Checkpoint)), Checkpoint())
        self.newest = 0  # the step of the newest state that was taken to be saved
        self.longest = 0.0  # seconds that a save took, from its beginning to its being durable
        self._beside = ThreadPoolExecutor(1, "save") if self.policy.background else None
        self._going: tuple[Future[float], int, bool] | None = None
        self._room: Future[Files] | None = None  # for the first copies, made beside the training
        self._copies: Files = {}

    def save(self, step: int, best: bool, extra: dict[str, Any]) -> None:
        """Save the state of the run as it is now. Raises NoSpace, for an earlier save in the background too."""
        self.wait()
        taken = checkpoint.image(self.run.state(), extra)
        kept = frozenset(old for old in checkpoint.steps(self.checkpoints) if self.policy.stays(old))
        if self._beside is None:
            self.longest = max(self.longest, self._write(taken, step, best, kept))
            self.newest = step
            self._done(step, best)
        else:
            if not self.run.placement.parted:  # what was gathered is nobody else's
                if self._room is not None:
                    self._copies, self._room = self._copies or self._room.result(), None
                taken = taken.copied(self._copies)
                self._copies = taken.files
            self._going = self._beside.submit(self._write, taken, step, best, kept), step, best
            self.newest = step

    def check(self) -> None:
        """Raise what a save in the background met, if it has ended. The first call has room made for the copies, beside the training."""
        if self._beside is not None and self._room is None and not self._copies and not self.run.placement.joint:
            self._room = self._beside.submit(checkpoint.image(self.run.state()).room)
        if self._going is not None and self._going[0].done():
            self.wait()

    def wait(self) -> None:
        """Until what was asked to be saved is durable. Raises NoSpace."""
        if self._going is not None:
            (future, step, best), self._going = self._going, None
            self.longest = max(self.longest, future.result())
            self._done(step, best)

    def close(self) -> None:
        """Wait, and let the thread go. Raises what `wait` does."""
        try:
            self.wait()
        finally:
            self._room, self._copies = None, {}
            if self._beside is not None:
                self._beside.shutdown()

    def _write(self, taken: checkpoint.Image, step: int, best: bool, kept: frozenset[int]) -> float:
        began = time.monotonic()
        checkpoint.write(taken, self.checkpoints, step, best=best, keep=self.policy.keep, stays=kept.__contains__)
        return time.monotonic() - began
