"""`danlu plot`: runs over one another, or the learning rate of a recipe, as a picture or in the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from danlu import messages
from danlu.cli.parse import Command, Flag, Given, columns
from danlu.cli.progress import draws
from danlu.cli.recipe import CHANGES, asked, name_of
from danlu.errors import BadInput, say

if TYPE_CHECKING:
    from danlu.run.curve import Line

METRIC = Flag("--metric", messages.FLAG_METRIC, "NAME", many=True)
OUT = Flag("--out", messages.FLAG_PLOT_OUT, "FILE")
TERMINAL = Flag("--terminal", messages.FLAG_TERMINAL)
SCHEDULE = Flag("--schedule", messages.FLAG_SCHEDULE, "RECIPE")
COMMAND = Command("plot", messages.ABOUT_PLOT, "[RUN ...]", 0, None, (METRIC, OUT, TERMINAL, SCHEDULE, *CHANGES), messages.MORE_PLOT)


def run(words: list[str], given: Given) -> int:
    spec = given["--schedule"]
    if spec is None and not words:
        raise BadInput(messages.MISSING_WORD, name="plot", word="RUN")
    for flag in ("--with", "--without") if spec is None else ("--metric",):
        if given[flag]:
            raise BadInput(messages.PLOT_FLAG, flag=flag)
    from danlu.run import plot

    panels = plot.panels(words, given["--metric"]) if spec is None else {"lr": [[_schedule([spec, *words], given)]]}
    if given["--out"] is not None:
        path = plot.draw(panels, given["--out"], tell=lambda sentence: print(sentence, file=sys.stderr))
        print(say(messages.WRITTEN, path=path))
    if given["--terminal"] or given["--out"] is None:
        from danlu.run import braille

        lines = {name: [line for run in found for line in run] for name, found in panels.items()}
        color = draws(sys.stdout)
        print("\n\n".join(braille.draw(plot.label(name), found, columns(), 16, color) for name, found in lines.items()))
    return 0


def _schedule(words: list[str], given: Given) -> Line:
    """The learning rate of the recipe's first group over its steps, in at most some 2000 of them."""
    from danlu.core import Run
    from danlu.run.curve import Line

    with Run(asked(words, given)) as run:
        steps = sorted({*range(0, run.total, max(1, run.total // 2000)), run.total - 1})
        rate = run.optimizer.param_groups[0]["lr"]
        rates = [rate * (run.schedule(step) if run.schedule else 1.0) for step in steps]
        return Line(name_of(words[0]), steps, rates, straight=True)
