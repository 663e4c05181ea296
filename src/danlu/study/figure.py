"""Figures in both languages from one run, as SVG whose words are text: `STEM.en.svg` and `STEM.zh.svg`.

Measured curves show their spread, so one without seeds is an error; predicted ones are dashed lines without a band. No font with Chinese is
needed here: the figure is laid out with stand-ins as wide as the Chinese words, which then take their place, and the reader's own font
draws them. The same numbers give the same bytes (no date, fixed ids).
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

from danlu import messages
from danlu.errors import BadInput, Sentence
from danlu.run.plot import COLORS
from danlu.study import paired

_STYLE = {"font.family": ["DejaVu Sans"], "svg.fonttype": "none", "svg.hashsalt": "danlu", "axes.unicode_minus": False}
LANGUAGES = ("en", "zh")
_WIDE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60]")


@dataclass(frozen=True)
class Curve:
    """Measured: values [seeds][points] over x [points]; drawn as mean, 95 % t-band and a thin line for each seed. Needs two seeds.

    None, for what is not finite, is a gap.
    """

    label: Sentence
    x: Sequence[float]
    values: Sequence[Sequence[float | None]]


@dataclass(frozen=True)
class Theory:
    """Predicted: a dashed line without a band."""

    label: Sentence
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class Axes:
    """What stands above and beside a figure, and which of its axes are logarithmic."""

    title: Sentence
    x: Sentence
    y: Sentence
    log_x: bool = False
    log_y: bool = False


def draw(stem: str | os.PathLike[str], axes: Axes, lines: Sequence[Curve | Theory]) -> tuple[Path, Path]:
    """`STEM.en.svg` and `STEM.zh.svg`. Raises BadInput for a curve of fewer than two seeds or of another length than its x."""
    for line in lines:
        rows = line.values if isinstance(line, Curve) else [line.y]
        if isinstance(line, Curve) and len(rows) < 2:
            raise BadInput(messages.CURVE_SEEDS, label=line.label.en, found=len(rows))
        for row in rows:
            if len(row) != len(line.x):
                raise BadInput(messages.CURVE_LENGTH, label=line.label.en, x=len(line.x), y=len(row))

    def paint(figure: Any, say: Callable[[Any, Sentence], None], word: Callable[[Sentence], str]) -> None:
        panel = _panel(figure, axes, say, word)
        for place, line in enumerate(lines):
            color = COLORS[place % len(COLORS)]
            if isinstance(line, Theory):
                panel.plot(line.x, line.y, color=color, linestyle="--", linewidth=1.4, label=word(line.label))
                continue
            values = _numbers(line.values)
            middle, half = _band(values)
            for row in values:
                panel.plot(line.x, row, color=color, linewidth=0.6, alpha=0.35)
            panel.fill_between(line.x, middle - half, middle + half, color=color, alpha=0.18, linewidth=0)
            panel.plot(line.x, middle, color=color, linewidth=1.8, label=word(line.label))
        _legend(panel, [line.label for line in lines], say)

    return _both(Path(stem), paint)


def bars(stem: str | os.PathLike[str], axes: Axes, groups: Sequence[tuple[Sentence, Sequence[float | None]]]) -> tuple[Path, Path]:
    """One bar a group: the mean of its seeds, a 95 % t-interval, a dot for each seed. Raises BadInput for fewer than two seeds."""
    for label, values in groups:
        if len(values) < 2:
            raise BadInput(messages.CURVE_SEEDS, label=label.en, found=len(values))

    def paint(figure: Any, say: Callable[[Any, Sentence], None], word: Callable[[Sentence], str]) -> None:
        panel = _panel(figure, axes, say, word)
        for place, (_, given) in enumerate(groups):
            values = _numbers([[value] for value in given])
            middle, half = _band(values)
            color = COLORS[place % len(COLORS)]
            panel.bar([place], middle, color=color, alpha=0.55, width=0.7)
            panel.errorbar([place], middle, yerr=half, color="#333333", capsize=4, linewidth=1.2)
            spread = np.linspace(-0.18, 0.18, len(values))
            panel.plot(place + spread, values[:, 0], "o", color=color, markersize=3)
        panel.set_xticks(range(len(groups)), [word(label) for label, _ in groups])
        for text, (label, _) in zip(panel.get_xticklabels(), groups):
            say(text, label)

    return _both(Path(stem), paint)


def _numbers(values: Sequence[Sequence[float | None]]) -> np.ndarray:
    return np.array([[np.nan if value is None else value for value in row] for row in values], dtype=np.float64)


def _band(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean of [seeds, points] and half of its 95 % t-interval; NaN where a seed has no number (a mean of the others flatters)."""
    if not np.isfinite(values).any():
        return values[0], values[0]
    middle, half = values.mean(0), np.full(values.shape[1], np.nan)
    for point in np.flatnonzero(np.isfinite(middle)):
        low, high = paired.interval(values[:, point], level=0.95)
        half[point] = (high - low) / 2
    return middle, half


def _panel(figure: Any, axes: Axes, say: Callable[[Any, Sentence], None], word: Callable[[Sentence], str]) -> Any:
    panel = figure.add_subplot()
    say(panel.set_title(word(axes.title), loc="left", fontsize=11), axes.title)
    say(panel.set_xlabel(word(axes.x)), axes.x)
    say(panel.set_ylabel(word(axes.y)), axes.y)
    if axes.log_x:
        panel.set_xscale("log")
    if axes.log_y:
        panel.set_yscale("log")
    panel.grid(alpha=0.25, linewidth=0.6)
    panel.spines[["top", "right"]].set_visible(False)
    return panel


def _legend(panel: Any, labels: Sequence[Sentence], say: Callable[[Any, Sentence], None]) -> None:
    legend = panel.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize=9, borderaxespad=0)
    for text, label in zip(legend.get_texts(), labels):
        say(text, label)


def _both(stem: Path, paint: Callable[..., None]) -> tuple[Path, Path]:
    import matplotlib
    from matplotlib.figure import Figure

    found = []
    for language in LANGUAGES:
        words: dict[str, str] = {}

        def say(text: Any, sentence: Sentence, language: str = language, words: dict[str, str] = words) -> None:
            name = f"words-{len(words)}"
            words[name] = getattr(sentence, language)
            text.set_gid(name)
            text.set_parse_math(False)

        def word(sentence: Sentence, language: str = language) -> str:
            return _WIDE.sub("W", getattr(sentence, language)) or " "

        with matplotlib.rc_context(
            {"font.family": ["DejaVu Sans"], "svg.fonttype": "none", "svg.hashsalt": "danlu", "axes.unicode_minus": False}
        ):
            figure = Figure(figsize=(7.6, 4.0), layout="constrained")
            paint(figure, say, word)
            drawn = io.StringIO()
            figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
        path = stem.with_name(f"{stem.name}.{language}.svg")
        path.write_text(_spoken(drawn.getvalue(), words), encoding="utf-8", newline="\n")
        found.append(path)
    return found[0], found[1]


def _spoken(svg: str, words: dict[str, str]) -> str:
    """The words in the place of their stand-ins, and a font for each script."""
    for name, text in words.items():
        pattern = re.compile(rf'(<g id="{name}">.*?<text[^>]*>).*?(</text>)', re.DOTALL)
        svg, count = pattern.subn(_between(escape(text)), svg, count=1)
        assert count == 1, name
    return svg.replace("'DejaVu Sans'", "'DejaVu Sans', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif")


def _between(text: str) -> Callable[[re.Match[str]], str]:
    return lambda found: found[1] + text + found[2]
