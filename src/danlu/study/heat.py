"""Heat maps side by side, in both languages, as `figure` draws curves: `STEM.en.svg` and `STEM.zh.svg`.

Each cell says the mean of its seeds and, below, half of its 95 % interval, so that nobody reads a pattern into noise.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from danlu import messages
from danlu.errors import BadInput, Sentence
from danlu.study.figure import Axes, _band, _both


@dataclass(frozen=True)
class Heat:
    """One map. x, y: what its columns and rows stand for, each rising, 0 allowed as the first; values: [seeds][rows][columns].

    None, for what is not finite, is an empty cell, as is a cell in which one seed has none.
    path: measured points (x, y), marked and joined; theory: predicted ones, a dashed line. Both are in the units of x and y, between their
    positive values; the axes are logarithmic.
    """

    label: Sentence
    x: Sequence[float]
    y: Sequence[float]
    values: Sequence[Sequence[Sequence[float | None]]]
    path: Sequence[tuple[float, float]] = ()
    theory: Sequence[tuple[float, float]] = ()


def heat(stem: str | os.PathLike[str], axes: Axes, maps: Sequence[Heat], most: float) -> tuple[Path, Path]:
    """Maps with one scale of colours, from the lowest mean to `most`, above which all is one colour. Raises BadInput for fewer than two
    seeds or for values of another shape than rows and columns."""
    for each in maps:
        if len(each.values) < 2:
            raise BadInput(messages.CURVE_SEEDS, label=each.label.en, found=len(each.values))
        for seed in each.values:
            for found, wanted in ((len(seed), len(each.y)), *((len(row), len(each.x)) for row in seed)):
                if found != wanted:
                    raise BadInput(messages.CURVE_LENGTH, label=each.label.en, x=wanted, y=found)
    summaries = [_cells(each) for each in maps]
    least = min((float(np.nanmin(middle)) for middle, _ in summaries if np.isfinite(middle).any()), default=0.0)

    def paint(figure: Any, say: Callable[[Any, Sentence], None], word: Callable[[Sentence], str]) -> None:
        say(figure.suptitle(word(axes.title), x=0.01, ha="left", fontsize=11), axes.title)
        panels = figure.subplots(1, len(maps), squeeze=False)[0]
        for panel, each, (middle, half) in zip(panels, maps, summaries):
            panel.pcolormesh(middle, cmap="viridis_r", vmin=least, vmax=most, edgecolor="white", linewidth=0.5)
            for (row, column), value in np.ndenumerate(middle):
                if np.isfinite(value):
                    color = "white" if value > (least + most) / 2 else "black"
                    panel.text(column + 0.5, row + 0.62, f"{value:.3g}", ha="center", va="center", fontsize=7, color=color)
                    panel.text(column + 0.5, row + 0.26, f"±{half[row, column]:.1g}", ha="center", va="center", fontsize=5, color=color)
            marked = {"marker": "o", "markersize": 4, "markerfacecolor": "none"}
            for points, style in ((each.path, marked), (each.theory, {"linestyle": "--"})):
                if points:
                    places = [(_place(each.x, x), _place(each.y, y)) for x, y in points]
                    panel.plot(*zip(*places), color="#d62728", linewidth=1.4, **style)
            panel.set_xticks(np.arange(len(each.x)) + 0.5, [f"{x:g}" for x in each.x], fontsize=7)
            panel.set_yticks(np.arange(len(each.y)) + 0.5, [f"{y:g}" for y in each.y], fontsize=7)
            say(panel.set_title(word(each.label), loc="left", fontsize=9), each.label)
            say(panel.set_xlabel(word(axes.x), fontsize=9), axes.x)
            say(panel.set_ylabel(word(axes.y), fontsize=9), axes.y)

    return _both(Path(stem), paint)


def _cells(each: Heat) -> tuple[np.ndarray, np.ndarray]:
    """Mean and half of the interval, [rows, columns]; NaN where a seed has no number."""
    shape = (len(each.y), len(each.x))
    flat = np.array([[np.nan if v is None else v for row in seed for v in row] for seed in each.values], dtype=np.float64)
    middle, half = _band(flat)
    return middle.reshape(shape), half.reshape(shape)


def _place(ticks: Sequence[float], value: float) -> float:
    """Where a value lies among the cells: half a cell is the middle of the first."""
    known = [(float(np.log(tick)), place + 0.5) for place, tick in enumerate(ticks) if tick > 0]
    return float(np.interp(np.log(value), [log for log, _ in known], [place for _, place in known]))
