"""What every process of a training but the first does: the same steps from the same checkpoint, and no files but `rank-N.log`."""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from danlu import messages
from danlu.core import Recipe, Report, Run
from danlu.errors import Sentence, say
from danlu.metrics.score import score
from danlu.run import changes, checkpoint, finish, log
from danlu.run.finish import Result
from danlu.run.stop import Stop, Stopped
from danlu.use.start_from import start_from

if TYPE_CHECKING:
    from danlu.run.session import Session


def beginning(session: Session) -> dict[str, Any]:
    """What the first process tells the others: its folder, the step it goes on from, fields that changed, and its result if it has one."""
    return {
        "folder": str(session.folder.path.resolve()),
        "step": session.run.step,
        "changed": session.changed_fields,
        "done": session.done,
    }


def follow(recipe: Recipe, stop: Stop, start: str | None) -> Result:
    """Take part in the training that the first process leads. Raises what `train` does."""
    with Run(recipe) as run:
        told = run.placement.everyone(None)[0]
        path, done = Path(told["folder"]), told["done"]
        if done:
            return Result(path, done["step"], done["best_step"], done["metrics"])
        with _noted(path / f"rank-{run.placement.rank}.log") as note:
            if told["step"]:
                saved = checkpoint.read(path / "checkpoints" / f"step-{told['step']}", verified=True)
                run.load(changes.adapted(saved, run, told["changed"]))
            elif start:
                start_from(run, start)
            note(messages.FOLLOWING, rank=run.placement.rank, world=run.placement.world, step=run.step, total=run.total, folder=path)
            newest = run.step  # the step of the newest state that was made whole

            def attend(run: Run, found: Report) -> None:
                nonlocal newest
                run.placement.attend(run)
                newest = found.step

            run.save = attend
            with stop.in_steps():
                for found in run:
                    if why := run.placement.most(stop.asked):
                        if newest != found.step:
                            attend(run, found)
                        name = signal.Signals(why).name if why in set(signal.Signals) else "limit"
                        raise Stopped(messages.STOPPED, signal=name, step=run.step, total=run.total, folder=path)
            if newest != run.step:
                run.placement.attend(run)
            run.placement.everyone(None)
            weights, best_step, _ = finish.choose(run, path / "checkpoints", note)
            if run.placement.parted:
                finish.exported(run, weights)
            scores = score(run, run.data.test, "test_", weights) if run.data.test is not None else {}
            note(messages.FOLLOWED, step=run.step)
            return Result(path, run.step, best_step, {name: value for name, value in log.plain(scores).items() if name in scores})


@contextmanager
def _noted(path: Path) -> Iterator[Any]:
    """A log for people; whatever goes wrong inside is in it."""

    def private(name: str, flags: int) -> int:
        return os.open(name, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)

    with open(path, "a", encoding="utf-8", opener=private) as file:

        def note(sentence: Sentence, **values: Any) -> None:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {say(sentence, **values)}\n")
            file.flush()

        try:
            yield note
        except Stopped as stopped:
            note(stopped.sentence, **stopped.values)
            raise
        except BaseException:
            file.write(traceback.format_exc())
            raise
