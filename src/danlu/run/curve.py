"""One curve picture as inline SVG, and the arithmetic that all pictures share: thinning, ticks, when an axis is logarithmic.

The SVG has classes instead of colours, so the page's style (light or dark) decides; it has no script and names nothing outside itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from danlu.errors import Sentence

WIDTH, HEIGHT = 480, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 92, 14, 40  # the margins hold the numbers of the axes and the names of the lines


@dataclass(frozen=True)
class Line:
    """Values over steps (NaN: not finite), with the name to write at its end."""

    name: str
    steps: Sequence[float]
    values: Sequence[float]


def thin(line: Line, most: int = 240) -> Line:
    """The line with at most `most` points: means of equal ranges of points; a range with nothing finite is a gap."""
    size = -(-len(line.values) // most)
    if size <= 1:
        return line
    steps, values = [], []
    for start in range(0, len(line.values), size):
        part = [(s, v) for s, v in zip(line.steps[start : start + size], line.values[start : start + size]) if math.isfinite(v)]
        steps.append(part[-1][0] if part else line.steps[start])
        values.append(sum(v for _, v in part) / len(part) if part else math.nan)
    steps[-1], values[-1] = line.steps[-1], line.values[-1] if math.isfinite(line.values[-1]) else values[-1]
    return Line(line.name, steps, values)


def wants_log(values: Iterable[float]) -> bool:
    """Whether a logarithmic axis shows more: all finite values are positive and span a factor of 30."""
    finite = [v for v in values if math.isfinite(v)]
    return bool(finite) and min(finite) > 0 and max(finite) > 30 * min(finite)


def ticks(low: float, high: float, log: bool = False, most: int = 5) -> list[float]:
    """Round numbers that cover [low, high]; powers of ten (or 1-2-5 steps where these are few) on a logarithmic axis."""
    if log:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        if last - first > most:
            stride = -(-(last - first) // most)
            return [10.0**power for power in range(first, last + stride, stride)]
        marks = [m * 10.0**p for p in range(first, last + 1) for m in ((1, 2, 5) if last - first <= 2 else (1,))]
        inside = [m for m in marks if low * 0.999 <= m <= high * 1.001]
        return [
            max((m for m in marks if m <= low), default=low),
            *[m for m in inside if m > low],
            *[m for m in marks if m >= high and m not in inside][:1],
        ]
    if high <= low:
        pad = abs(low) * 0.1 or 1.0
        low, high = low - pad, high + pad
    rough = (high - low) / (most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [n * step for n in range(first, last + 1)]


def number(value: float) -> str:
    """A tick in few letters: 0.25, 1200, 12k, 1e-05."""
    if value and (abs(value) < 1e-3 or abs(value) >= 1e6):
        return f"{value:.0e}" if float(f"{value:.0e}") == value else f"{value:.1e}"
    if abs(value) >= 1e4:
        return f"{value / 1000:g}k"
    return f"{round(value, 10):g}"


def svg(title: Sentence, lines: Sequence[Line], across: Sentence, mark: float | None = None, bad: Sequence[float] = ()) -> str:
    """A picture of `lines` over the steps. mark: a step to point out (the best). bad: steps to tick in warning colour at the bottom."""
    lines = [thin(line) for line in lines]
    points = [(s, v) for line in lines for s, v in zip(line.steps, line.values) if math.isfinite(v)]
    if not points:
        return ""
    log = wants_log(v for _, v in points)
    down = ticks(min(v for _, v in points), max(v for _, v in points), log)
    along = ticks(0, max(max(s for s, _ in points), *bad, 1), most=5)
    place = _Place(along[-1], down[0], down[-1], log)
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" class="curve"><title>{escape(title.en)} · {escape(title.zh)}</title>']
    for value in down:
        y = place.y(value)
        parts.append(
            f'<path class="grid" d="M{LEFT} {y}H{WIDTH - RIGHT}"/><text class="tick end" x="{LEFT - 7}" y="{y + 4:.1f}">{number(value)}</text>'
        )
    for value in along:
        parts.append(f'<text class="tick mid" x="{place.x(value)}" y="{HEIGHT - BOTTOM + 18}">{number(value)}</text>')
    for lang, text in zip(Sentence._fields, across):
        parts.append(f'<text class="tick mid" lang="{lang}" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 4}">{escape(text)}</text>')
    if mark is not None:
        parts.append(f'<path class="mark" d="M{place.x(mark)} {TOP}V{HEIGHT - BOTTOM}"/>')
    for step in bad:
        parts.append(f'<path class="bad" d="M{place.x(step)} {HEIGHT - BOTTOM}v-7"/>')
    parts += _drawn(lines, place)
    return "".join([*parts, "</svg>"])


@dataclass(frozen=True)
class _Place:
    """Where a step and a value are in the picture."""

    last: float
    low: float
    high: float
    log: bool

    def x(self, step: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * step / (self.last or 1), 1)

    def y(self, value: float) -> float:
        scale = math.log if self.log else float
        share = (scale(value) - scale(self.low)) / ((scale(self.high) - scale(self.low)) or 1)
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share, 1)


def _drawn(lines: Sequence[Line], place: _Place) -> list[str]:
    parts, ends = [], []
    for index, line in enumerate(lines):
        path, pen = "", "M"
        for step, value in zip(line.steps, line.values):
            if math.isfinite(value):
                path, pen = f"{path}{pen}{place.x(step)} {place.y(value)}", "L"
            else:
                pen = "M"
        parts.append(f'<path class="line c{index % 4}" d="{path}"/>')
        finite = [(s, v) for s, v in zip(line.steps, line.values) if math.isfinite(v)]
        if len(finite) <= 60:
            parts += [
                f'<circle class="dot c{index % 4}" cx="{place.x(s)}" cy="{place.y(v)}" r="2.6"><title>{escape(line.name)} {number(s)}: {v:.5g}</title></circle>'
                for s, v in finite
            ]
        if finite:
            ends.append((place.y(finite[-1][1]), place.x(finite[-1][0]), index, line.name, finite[-1][1]))
    below = -math.inf
    for y, x, index, name, value in sorted(ends):  # names at the ends of the lines, pushed down where they would overlap
        below = max(y, below + 30)
        short = name if len(name) <= 13 else name[:12] + "…"
        parts.append(
            f'<text class="name c{index % 4}" x="{x + 7}" y="{below + 1:.1f}">{escape(short)}<tspan class="value" x="{x + 7}" dy="14">{value:.4g}</tspan></text>'
        )
    return parts
