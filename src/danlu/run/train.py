"""Train a recipe in a run folder: the loop of `core`, with everything around it that a long run needs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from danlu import messages
from danlu.core import Recipe, Run
from danlu.describe.forms import to_data
from danlu.errors import BadInput, Refused, say
from danlu.find.names import Phrase
from danlu.placement.processes import Seat, seat, together
from danlu.placement.spmd import Spmd
from danlu.run.finish import Result
from danlu.run.folder import claim
from danlu.run.follow import beginning, follow
from danlu.run.session import Session, Watcher, started
from danlu.run.stop import Stop


def train(
    recipe: Recipe,
    out: str | os.PathLike[str] | None = None,
    *,
    name: str = "run",
    every: int = 10,
    watchers: Sequence[Watcher] = (),
    tell: Callable[[str], None] = lambda sentence: None,
    resume: bool = False,
    start: str | None = None,
    command: Sequence[str] | None = None,
    accept: Collection[str] = (),
    changing: Collection[str] = (),
    limit: float | None = None,
    check: bool = False,
) -> Result:
    """Train `recipe` to its end in the folder `out`, going on where an earlier start left off. Without one: a new `runs/<name>-<date>-<n>`.

    every: steps between two lines of metrics.jsonl. watchers: called with (report, run) after each step. tell: called with each sentence a
    person should read now. resume: `out` must hold a run. start: weights that a new run starts from, see
    `use.start_from`. command: the command line, for the record. accept: "code" goes on although code or packages are not what they were.
    changing: fields of the recipe ("epochs", "steps", "optimizer") in which `out` may hold another; from here on this one holds, see
    `run.changes.adapted`. limit: seconds from this call on, data and check included, after which the run has been saved and stopped. check:
    try the recipe first (see `danlu.check`), where there is no run yet; a check that fails is Refused, and no folder is made.
    On several processes each calls this; the first alone writes the folder (and does not `check`), the others follow, see `run.follow`.
    Raises Stopped after SIGTERM, SIGINT or SIGUSR1 and at the limit (saved; the same call goes on), Diverged after `session.HOPELESS`
    non-finite steps in a row, Lost when another process is gone, BadInput, Refused, Busy, NoSpace.
    """
    deadline = None if limit is None else time.monotonic() + limit
    form = to_data(recipe, full=True, opaque=True)
    new = out is None or not (Path(out) / "recipe.json").exists()
    if resume and new:
        raise BadInput(messages.NO_RUN_THERE, folder=out, file="recipe.json")
    many = check_seat(recipe)
    with ExitStack() as stack:
        stack.enter_context(together())
        stop = stack.enter_context(Stop())
        if many.rank:
            return follow(recipe, stop, start)
        run = stack.enter_context(Run(recipe)) if new else None  # bad data makes no folder
        taken = started(run, start) if run and start else None  # nor do weights that do not fit
        checked = passed(run, tell) if run and check and many.world == 1 else None
        folder = stack.enter_context(claim(out, form, name, changing))
        run = run or stack.enter_context(Run(recipe))
        session = stack.enter_context(Session(run, folder, every, tell, accept, deadline))
        session.begin(name, command, start, taken, checked)
        run.placement.everyone(beginning(session))
        session.loop(watchers, stop)
        return session.finish()


def check_seat(recipe: Recipe) -> Seat:
    """This process's place among those that were started together. Raises Refused if the recipe's placement is for one."""
    found = seat()
    if found.world > 1 and not isinstance(recipe.placement, Spmd):
        raise Refused(messages.MANY_WITHOUT_PLACEMENT, world=found.world)
    return found


def passed(run: Run, tell: Callable[[str], None]) -> dict[str, Any]:
    """What a run remembers of its certificate; what is to be noted is told. Raises Refused if a line failed."""
    from danlu.check import certify

    found = certify(run)
    for line in found.having("failed"):
        raise Refused(messages.CHECK_REFUSED, title=Phrase(messages.CHECK_TITLES[line.name]), says=line)
    for line in found.having("note"):
        tell(say(messages.CHECK_TOLD, title=say(messages.CHECK_TITLES[line.name]), says=str(line)))
    if found.verdict == "ok":
        tell(say(messages.CHECK_TOLD_OK, count=len(found.lines)))
    return found.record
