"""What the finders found, as pictures and in the terminal."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from danlu import messages
from danlu.errors import say
from danlu.finders.learning_rate import Trace
from danlu.finders.noise_scale import Course, Noise
from danlu.run import braille
from danlu.run.axes import picture, worded
from danlu.run.curve import Line, thin
from danlu.run.plot import COLORS


def range_tests(traces: Sequence[Trace], rate: float, out: str | os.PathLike[str], tell: Callable[[str], None]) -> Path:
    """Write the losses of each seed, faint, with their smoothed line, where it falls, and the suggested rate. Raises BadInput."""
    with picture(out, tell) as axes:
        for place, one in enumerate(traces):
            color = COLORS[place % len(COLORS)]
            axes.plot(one.rates, one.losses, color=color, alpha=0.25, linewidth=0.8)
            axes.plot(one.rates, one.smooth, color=color, linewidth=1.8, label=worded(messages.FIND_SEED, seed=one.seed))
            ends = [int(np.abs(one.rates - edge).argmin()) for edge in (one.start, one.end)]
            axes.plot(one.rates[ends], one.smooth[ends], "o", color=color, markersize=5)
        axes.axvline(rate, color="#333333", linestyle="--", linewidth=1.2, label=worded(messages.FIND_SUGGESTED, rate=rate))
        axes.set_xscale("log")
        shown = np.concatenate([one.smooth for one in traces])
        first = max(float(one.smooth[0]) for one in traces)
        low = float(shown.min())
        axes.set_ylim(low - 0.1 * (first - low), first + 0.4 * (first - low))
        axes.set_xlabel(worded(messages.FIND_AXIS_RATE))
        axes.set_ylabel(worded(messages.FIND_AXIS_LOSS))
        axes.legend(frameon=False, fontsize=9)
    return Path(out)


def noise_scales(
    found: Sequence[Course], noise: Noise, useful: int, batch: int, out: str | os.PathLike[str], tell: Callable[[str], None]
) -> Path:
    """Write the noise scale of each seed over the steps, with its interval over seeds and the recipe's batch. Raises BadInput."""
    with picture(out, tell) as axes:
        for place, one in enumerate(found):
            color, label = COLORS[place % len(COLORS)], worded(messages.FIND_SEED, seed=one.seed)
            steps, scales = [p.step for p in one.points], [p.scale for p in one.points]
            axes.plot(steps, scales, "o-", color=color, linewidth=1.8, markersize=4, label=label)
        axes.axhspan(noise.low, noise.high, color="#333333", alpha=0.1, linewidth=0, label=worded(messages.FIND_INTERVAL))
        axes.axhline(useful, color="#333333", linestyle="--", linewidth=1.2, label=worded(messages.FIND_USEFUL, rows=useful))
        axes.axhline(batch, color="#333333", linestyle=":", linewidth=1.2, label=worded(messages.FIND_THIS_BATCH, rows=batch))
        axes.set_yscale("log")
        axes.set_xlabel(worded(messages.FIND_AXIS_STEP))
        axes.set_ylabel(worded(messages.FIND_AXIS_SCALE))
        axes.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0)
    return Path(out)


def terminal(traces: Sequence[Trace], width: int, color: bool) -> str:
    """The smoothed losses over the logarithm (base 10) of the rate."""
    lines = []
    for one in traces:
        first = float(one.smooth[0])
        kept = one.smooth <= first + 0.4 * (first - float(one.smooth.min()))
        last = len(kept) if kept.all() else max(int(one.smooth.argmin()) + 1, int(np.argmin(kept)))
        lines.append(thin(Line(say(messages.FIND_SEED, seed=one.seed), list(np.log10(one.rates[:last])), list(one.smooth[:last]))))
    return braille.draw(f"{say(messages.FIND_AXIS_LOSS)} / log10 {say(messages.FIND_AXIS_RATE)}", lines, width, 16, color)


def terminal_noise(found: Sequence[Course], width: int, color: bool) -> str:
    """The noise scale over the steps."""
    lines = [Line(say(messages.FIND_SEED, seed=one.seed), [p.step for p in one.points], [p.scale for p in one.points]) for one in found]
    return braille.draw(say(messages.FIND_AXIS_SCALE), lines, width, 16, color)
