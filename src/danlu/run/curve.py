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
LEFT, TOP, BOTTOM = 58, 14, 40  # the margins hold the numbers of the axes
NAMES, VALUE = 96, 58  # and on the right the names of the lines with their last values, or one value alone


@dataclass(frozen=True)
class Line:
    """Values over steps (NaN: not finite), with the name to write at its end."""

    name: str
    steps: Sequence[float]
    values: Sequence[float]
    straight: bool = False  # never on a logarithmic axis: a schedule is known by its shape


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
    return Line(line.name, steps, values, line.straight)


def wants_log(values: Iterable[float]) -> bool:
    """Whether a logarithmic axis shows more: all finite values are positive and span a factor of 30."""
    finite = [v for v in values if math.isfinite(v)]
    return bool(finite) and min(finite) > 0 and max(finite) > 30 * min(finite)


def ticks(low: float, high: float, log: bool = False, most: int = 5) -> list[float]:
    """Round numbers that cover [low, high]; on a logarithmic axis powers of ten, or 1-2-5 where these are few."""
    if log:
        powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
        marks = [m * 10.0**p for p in powers for m in (1, 2, 5)]
        below, above = max(m for m in marks if m <= low * 1.001), min(m for m in marks if m >= high * 0.999)
        inside = [m for m in marks if below < m < above]
        if len(inside) > most:
            stride = -(-round(math.log10(above / below)) // most)
            inside = [10.0**p for p in powers[1::stride] if below * 1.5 < 10.0**p < above / 1.5]
        return [below, *inside, above]
    if high <= low:
        low, high = (min(0.0, 2 * low), max(0.0, 2 * low)) if low else (-1.0, 1.0)
    rough = (high - low) / (most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [n * step for n in range(first, last + 1)]


def number(value: float) -> str:
    """A tick in few letters: 0.25, 1200, 12k, 3M, 1e-5."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if letter == 'k' else size):.4g}{letter}"
    if value and abs(value) < 1e-3:
        digits, power = f"{value:.3e}".split("e")
        return f"{digits.rstrip('0').rstrip('.')}e{int(power)}"
    return f"{value:.4g}"


def svg(
    title: Sentence, lines: Sequence[Line], across: Sentence, mark: float | None = None, bad: Sequence[float] = (), zero: bool = False
) -> str:
    """A picture of `lines` over the steps; "" when there is nothing finite to draw.

    mark: a step to point out (the best). bad: steps to tick in warning colour at the bottom. zero: the axis is linear and begins at zero.
    """
    lines = [thin(line) for line in lines]
    points = [(s, v) for line in lines for s, v in zip(line.steps, line.values) if math.isfinite(v)]
    if not points:
        return ""
    low, high = min(v for _, v in points), max(v for _, v in points)
    log = not zero and wants_log(v for _, v in points)
    down = ticks(min(low, 0.0) if zero else low, high, log)
    along = ticks(0, max(max(s for s, _ in points), *bad, 1), most=5)
    place = _Place(along[-1], down[0], down[-1], log, WIDTH - (NAMES if len(lines) > 1 else VALUE))
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" class="curve"><title>{escape(title.en)} · {escape(title.zh)}</title>']
    for value in down:
        y = place.y(value)
        parts.append(f'<path class="grid" d="M{LEFT} {y}H{place.right}"/>')
        parts.append(f'<text class="tick end" x="{LEFT - 7}" y="{y + 4:.1f}">{number(value)}</text>')
    for value in along:
        parts.append(f'<text class="tick mid" x="{place.x(value)}" y="{HEIGHT - BOTTOM + 18}">{number(value)}</text>')
    for lang, text in zip(Sentence._fields, across):
        parts.append(f'<text class="tick mid" lang="{lang}" x="{(LEFT + place.right) / 2}" y="{HEIGHT - 4}">{escape(text)}</text>')
    if mark is not None:
        parts.append(f'<path class="mark" d="M{place.x(mark)} {TOP}V{HEIGHT - BOTTOM}"/>')
    parts += [f'<path class="bad" d="M{place.x(step)} {HEIGHT - BOTTOM}v-7"/>' for step in bad]
    return "".join([*parts, *_drawn(lines, place), "</svg>"])


@dataclass(frozen=True)
class _Place:
    """Where a step and a value are in the picture."""

    last: float
    low: float
    high: float
    log: bool
    right: int

    def x(self, step: float) -> float:
        return round(LEFT + (self.right - LEFT) * step / (self.last or 1), 1)

    def y(self, value: float) -> float:
        scale = math.log if self.log else float
        share = (scale(value) - scale(self.low)) / ((scale(self.high) - scale(self.low)) or 1)
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share, 1)


def _drawn(lines: Sequence[Line], place: _Place) -> list[str]:
    parts, ends = [], []
    for index, line in enumerate(lines):
        finite = [(place.x(s), place.y(v), s, v) for s, v in zip(line.steps, line.values) if math.isfinite(v)]
        path, pen = "", "M"
        for step, value in zip(line.steps, line.values):
            path += f"{pen}{place.x(step)} {place.y(value)}" if math.isfinite(value) else ""
            pen = "L" if math.isfinite(value) else "M"
        parts.append(f'<path class="line c{index % 4}" d="{path}"/>')
        for x, y, step, value in finite if len(finite) <= 60 else []:
            told = f"{escape(line.name)} {number(step)}: {value:.5g}"
            parts.append(f'<circle class="dot c{index % 4}" cx="{x}" cy="{y}" r="2.6"><title>{told}</title></circle>')
        if finite:
            ends.append((finite[-1][1], finite[-1][0], index, line.name, finite[-1][3]))
    below = -math.inf
    for nth, (y, x, index, name, value) in enumerate(sorted(ends)):  # at the ends of the lines, apart from each other and from the axis
        room = HEIGHT - BOTTOM - 16 - 30 * (len(ends) - 1 - nth)
        below = max(min(y, room), below + 30)
        if len(lines) == 1:
            parts.append(f'<text class="value" x="{x + 7}" y="{y + 4:.1f}">{number(value)}</text>')
            continue
        short = escape(name if len(name) <= 12 else name[:11] + "…")
        told = f'<tspan class="value" x="{x + 7}" dy="14">{number(value)}</tspan>'
        parts.append(f'<text class="name c{index % 4}" x="{x + 7}" y="{below + 1:.1f}">{short}{told}</text>')
    return parts
