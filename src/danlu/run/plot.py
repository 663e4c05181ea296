"""Runs laid over one another: as a PNG or SVG picture. In the terminal, see `braille.py`."""

from __future__ import annotations

import io
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from danlu import messages
from danlu.errors import BadInput, say
from danlu.run import braille, durable, log
from danlu.run.curve import Line, number, thin, wants_log
from danlu.run.fonts import chinese_font, drawing

COLORS = ("#c0452c", "#2468a8", "#2f8556", "#9456a8", "#b8860b", "#4a5568", "#d16ba5", "#148f8f")
_LABELS = {"lr": messages.PAGE_RATE, "rows_per_second": messages.PAGE_SPEED, "loss": messages.PAGE_LOSS}

Panels = dict[str, list[list[Line]]]


def plot(
    runs: Sequence[str | os.PathLike[str]],
    metric: str | Sequence[str] | None = None,
    out: str | os.PathLike[str] = "plot.png",
    tell: Callable[[str], None] = lambda sentence: None,
) -> Path:
    """Draw `metric` (one or several; else the losses and the first other validation metric) of each run as a picture.

    tell: called with a sentence when Chinese is wanted and no font has it. Raises BadInput for a folder without a run, a metric that no run
    has, or a file that is neither .png nor .svg.
    """
    return draw(panels(runs, metric), out, tell=tell)


def plot_terminal(
    runs: Sequence[str | os.PathLike[str]],
    metric: str | Sequence[str] | None = None,
    width: int = 80,
    height: int = 16,
    color: bool = False,
) -> str:
    """The same picture as text, `width` columns wide. color: with ANSI colours."""
    drawn = panels(runs, metric)
    return "\n\n".join(braille.draw(label(name), list(chain(*found)), width, height, color) for name, found in drawn.items())


def panels(runs: Sequence[str | os.PathLike[str]], metric: str | Sequence[str] | None) -> Panels:
    """For each metric, each run's lines: with `metric=None`, the validation loss joins the training loss in one panel. Raises BadInput."""
    return chosen({name: log.read(path / "metrics.jsonl") for name, path in _named([Path(run) for run in runs]).items()}, metric)


def chosen(runs: Mapping[str, list[dict[str, Any]]], metric: str | Sequence[str] | None) -> Panels:
    """The same for runs given by their logged lines."""
    columns = {name: log.columns(lines) for name, lines in runs.items()}
    known = list(dict.fromkeys(name for found in columns.values() for name in found))
    asked = [metric] if isinstance(metric, str) else list(metric or [])
    for name in asked:
        if name not in known:
            raise BadInput(messages.PLOT_NO_METRIC, metric=name, found=", ".join(known) or "-")
    main = next((name for name in known if name.startswith("val_") and name != "val_loss"), None)
    titles = {name: [name] for name in asked} or {"loss": ["loss", "val_loss"], **({main: [main]} if main else {})}
    found = {
        title: [[Line(_joined(run, name, names), *data[name]) for name in names if name in data] for run, data in columns.items()]
        for title, names in titles.items()
    }
    if not any(line.values for panel in found.values() for lines in panel for line in lines):
        raise BadInput(messages.PLOT_NOTHING, runs=", ".join(columns))
    return found


def draw(drawn: Panels, out: str | os.PathLike[str], tell: Callable[[str], None] = lambda sentence: None) -> Path:
    """A picture with one panel for each metric, one colour for each run; the first of a run's two lines is the fainter one."""
    path = Path(out)
    if path.suffix.lower() not in (".png", ".svg"):
        raise BadInput(messages.PLOT_SUFFIX, path=path)
    picture, new = io.BytesIO(), path.with_name(path.name + ".tmp")
    _render(drawn, picture, path.suffix.lower()[1:], tell)
    try:
        with open(durable.fresh(new), "wb") as file:
            file.write(picture.getvalue())
        os.replace(new, path)  # a link of that name is replaced, not followed
    except OSError as error:
        raise BadInput(messages.RUN_CANNOT_WRITE, folder=path, reason=error.strerror) from error
    return path


@dataclass(frozen=True)
class Picture:
    """A picture that a notebook shows by itself; `save` writes it as .png or .svg."""

    drawn: Panels
    tell: Callable[[str], None] = lambda sentence: None  # called where Chinese is wanted and no font has it

    def save(self, path: str | os.PathLike[str]) -> Path:
        return draw(self.drawn, path, self.tell)

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        _render(self.drawn, file, "png", self.tell)
        return file.getvalue()


def picture(
    runs: Mapping[str, list[dict[str, Any]]], metric: str | Sequence[str] | None = None, tell: Callable[[str], None] = lambda sentence: None
) -> Picture:
    """A picture of runs given by their logged lines, as `plot` draws those of folders."""
    return Picture(chosen(runs, metric), tell)


def _render(drawn: Panels, out: Any, form: str, tell: Callable[[str], None] = lambda sentence: None) -> None:
    from matplotlib.figure import Figure

    font = chinese_font()
    words = {name: label(name) if font else name for name in drawn}
    across = say(messages.PAGE_STEP) if font else messages.PAGE_STEP.en
    with drawing(tell):
        many = max(len(panel) for panel in drawn.values()) > 1
        figure = Figure(figsize=(8.4 if many else 7.2, 3.7 * len(drawn)), layout="constrained")
        for place, (name, panel) in enumerate(drawn.items()):
            axes = figure.add_subplot(len(drawn), 1, place + 1)
            _draw_panel(axes, panel, across, words[name], many)
        figure.savefig(out, dpi=160, format=form, metadata={"Date": None} if form == "svg" else None)


def label(name: str) -> str:
    """How a metric is called on an axis, in the chosen language; one that has no common name keeps its own."""
    return say(_LABELS[name]) if name in _LABELS else name


def _draw_panel(axes: Any, panel: list[list[Line]], across: str, title: str, many: bool) -> None:
    for index, lines in enumerate(panel):
        color = COLORS[index % len(COLORS)]
        for line in lines:
            faint = len(lines) > 1 and line is lines[0]
            short = thin(line, 400)
            dots = "o" if len(short.values) <= 60 and not faint else ""
            look = {"alpha": 0.4, "linewidth": 1.1} if faint else {"linewidth": 1.8, "marker": dots, "markersize": 3}
            last = f"{_drawn(line.name)}  {number(line.values[-1])}" if line.values else _drawn(line.name)
            axes.plot(short.steps, short.values, color=color, label=last, **look)
    drawn = [line for lines in panel for line in lines]
    if wants_log(value for line in drawn for value in line.values) and not any(line.straight for line in drawn):
        axes.set_yscale("log")
    axes.set_xlabel(across)
    axes.set_ylabel(title)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    if many or any(len(lines) > 1 for lines in panel):
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize=9, borderaxespad=0)
    else:
        axes.set_title(_drawn(panel[0][0].name), loc="left", fontsize=10)


def _drawn(name: str) -> str:
    """The name of a run as a picture can have it: no half letters, and no mathematics between dollars."""
    return name.encode(errors="backslashreplace").decode().replace("$", r"\$")


def _named(paths: list[Path]) -> dict[str, Path]:
    """A short name for each run: its folder's, or the whole path where two have the same."""
    for path in paths:
        if not (path / "metrics.jsonl").is_file():
            raise BadInput(messages.NO_RUN_THERE, folder=path, file="metrics.jsonl")
    counts = Counter(path.resolve().name for path in paths)
    return {path.resolve().name if counts[path.resolve().name] == 1 else str(path): path for path in paths}


def _joined(run: str, name: str, names: list[str]) -> str:
    return run if len(names) == 1 else f"{run} {name}"
