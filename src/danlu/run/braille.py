"""Curves in a terminal, drawn with braille dots (two by four in each character)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from danlu.run.curve import Line, number, ticks, wants_log

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))  # by column and row inside a character
_ANSI = (31, 34, 32, 35, 33, 36)


def draw(title: str, lines: Sequence[Line], width: int = 80, height: int = 16, color: bool = False) -> str:
    """`lines` over their steps (from 0 or what is below) as text, a title above, a legend below, a letter at the end of each line."""
    finite = [[(s, v) for s, v in zip(line.steps, line.values) if math.isfinite(v)] for line in lines]
    points = [point for found in finite for point in found]
    if not points:
        return title
    log = wants_log(v for _, v in points) and not any(line.straight for line in lines)
    marks = ticks(min(v for _, v in points), max(v for _, v in points), log)
    margin = max(len(number(mark)) for mark in marks) + 1
    columns = max(width - margin - 3, 10)
    first, last = min(0, min(s for s, _ in points)), max(s for s, _ in points)
    last = last if last > first else first + 1
    scale = math.log if log else float
    low, high = scale(marks[0]), scale(marks[-1])

    def place(step: float, value: float) -> tuple[int, int]:
        share = (scale(value) - low) / ((high - low) or 1)
        return round((columns * 2 - 1) * (step - first) / (last - first)), round((height * 4 - 1) * (1 - share))

    cells = [[(0, 0)] * columns for _ in range(height)]  # dots, and whose colour
    letters: dict[tuple[int, int], str] = {}
    for index, found in enumerate(finite):
        dots = [place(*point) for point in found]
        for (x0, y0), (x1, y1) in zip(dots, dots[1:] or dots):
            far = max(abs(x1 - x0), abs(y1 - y0), 1)
            for n in range(far + 1):
                x, y = x0 + (x1 - x0) * n // far, y0 + (y1 - y0) * n // far
                cells[y // 4][x // 2] = (cells[y // 4][x // 2][0] | _DOTS[x % 2][y % 4], index)
        if dots and len(lines) > 1:
            across, down = dots[-1][0] // 2, dots[-1][1] // 4
            while (down, across) in letters and down + 1 < height:
                down += 1
            letters[down, across] = _letter(index)
    beside = {place(first, mark)[1] // 4: number(mark) for mark in marks}
    text = [" " * margin + title]
    for y, row in enumerate(cells):
        inside = "".join(
            _painted(letters.get((y, x)) or chr(0x2800 + cell), owner, color) if cell else letters.get((y, x), " ")
            for x, (cell, owner) in enumerate(row)
        )
        after = letters.get((y, columns), "")
        text.append(f"{beside.get(y, ''):>{margin}}{'┤' if y in beside else '│'}{inside}{after}".rstrip())
    text.append(" " * margin + "└" + "─" * columns)
    text.append(f"{' ' * margin} {number(first)}{number(last):>{columns - len(number(first))}}")
    for index, (line, found) in enumerate(zip(lines, finite)):
        name = f"{_letter(index)} {line.name}" if len(lines) > 1 else line.name
        text.append(" " * margin + " " + _painted(name, index, color) + (f"  {number(found[-1][1])}" if found else ""))
    return "\n".join(text)


def _letter(index: int) -> str:
    return chr(ord("a") + index % 26)


def _painted(text: str, index: int, color: bool) -> str:
    return f"\x1b[{_ANSI[index % len(_ANSI)]}m{text}\x1b[0m" if color else text
