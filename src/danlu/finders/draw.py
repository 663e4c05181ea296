"""Range tests as a picture, and in the terminal."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from danlu import messages
from danlu.errors import BadInput, Sentence, say
from danlu.finders.learning_rate import Trace
from danlu.run import braille
from danlu.run.curve import Line, thin
from danlu.run.fonts import chinese_font, drawing
from danlu.run.plot import COLORS


def range_tests(traces: Sequence[Trace], rate: float, out: str | os.PathLike[str], tell: Callable[[str], None]) -> Path:
    """Write the losses of each seed, faint, with their smoothed line, where it falls, and the suggested rate. Raises BadInput."""
    from matplotlib.figure import Figure

    path = Path(out)
    if path.suffix.lower() not in (".png", ".svg"):
        raise BadInput(messages.PLOT_SUFFIX, path=path)
    with drawing(tell):
        figure = Figure(figsize=(7.2, 4.0), layout="constrained")
        axes = figure.add_subplot()
        for place, one in enumerate(traces):
            color = COLORS[place % len(COLORS)]
            axes.plot(one.rates, one.losses, color=color, alpha=0.25, linewidth=0.8)
            axes.plot(one.rates, one.smooth, color=color, linewidth=1.8, label=_say(messages.FIND_SEED, seed=one.seed))
            ends = [int(np.abs(one.rates - edge).argmin()) for edge in (one.start, one.end)]
            axes.plot(one.rates[ends], one.smooth[ends], "o", color=color, markersize=5)
        axes.axvline(rate, color="#333333", linestyle="--", linewidth=1.2, label=_say(messages.FIND_SUGGESTED, rate=rate))
        axes.set_xscale("log")
        shown = np.concatenate([one.smooth for one in traces])
        first = max(float(one.smooth[0]) for one in traces)
        low = float(shown.min())
        axes.set_ylim(low - 0.1 * (first - low), first + 0.4 * (first - low))
        axes.set_xlabel(_say(messages.FIND_AXIS_RATE))
        axes.set_ylabel(_say(messages.FIND_AXIS_LOSS))
        axes.grid(alpha=0.25, linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=9)
        try:
            figure.savefig(path, dpi=160, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)
        except OSError as error:
            raise BadInput(messages.RUN_CANNOT_WRITE, folder=path, reason=error.strerror) from error
    return path


def terminal(traces: Sequence[Trace], width: int, color: bool) -> str:
    """The smoothed losses over the logarithm (base 10) of the rate."""
    lines = []
    for one in traces:
        first = float(one.smooth[0])
        kept = one.smooth <= first + 0.4 * (first - float(one.smooth.min()))
        last = len(kept) if kept.all() else max(int(one.smooth.argmin()) + 1, int(np.argmin(kept)))
        lines.append(thin(Line(say(messages.FIND_SEED, seed=one.seed), list(np.log10(one.rates[:last])), list(one.smooth[:last]))))
    return braille.draw(f"{say(messages.FIND_AXIS_LOSS)} / log10 {say(messages.FIND_AXIS_RATE)}", lines, width, 16, color)


def _say(sentence: Sentence, **values: object) -> str:
    """In the chosen language, but English where no font has Chinese."""
    return say(sentence, **values) if chinese_font() else sentence.en.format(**values)
