"""An evaluation as pictures: who was taken for whom, whether confidence can be trusted, and how far numbers are off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from danlu import messages
from danlu.errors import BadInput, Sentence, language, say
from danlu.run.fonts import chinese_font, drawing
from danlu.run.plot import COLORS
from danlu.use.evaluate import Evaluation

NUMBERED = 25  # classes up to which every cell has its number written in


def draw(found: Evaluation, folder: Path, tell: Callable[[str], None]) -> list[Path]:
    """Write confusion.png and calibration.png (classes) or predicted.png (numbers) into `folder`; what was written.

    tell: called with a sentence where Chinese is wanted and no font has it
    """
    with drawing(tell):
        if found.confusion is not None:
            return [_confusion(found, folder / "confusion.png"), _calibration(found, folder / "calibration.png")]
        if found.prediction is not None and found.prediction.values is not None and found.targets is not None:
            return [_residuals(found, folder / "predicted.png")]
    return []


@contextmanager
def _figure(path: Path, size: tuple[float, float]) -> Iterator[tuple[Any, Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    yield figure, figure.add_subplot()
    try:
        figure.savefig(path, dpi=140)
    except OSError as error:
        raise BadInput(messages.RUN_CANNOT_WRITE, folder=path, reason=error.strerror) from error


def _say(sentence: Sentence, **values: Any) -> str:
    """In the chosen language, but English where no font has Chinese."""
    return say(sentence, **values) if language() == "en" or chinese_font() else sentence.en.format(**values)


def _confusion(found: Evaluation, path: Path) -> Path:
    assert found.confusion is not None and found.prediction is not None
    counts = found.confusion.double()
    share = counts / counts.sum(1, keepdim=True).clamp(min=1)
    classes = len(counts)
    names = [_short(name) for name in found.prediction.names or map(str, range(classes))]
    side = min(14.0, max(4.2, 1.8 + 0.42 * classes))
    with _figure(path, (side + 1, side)) as (figure, axes):
        image = axes.imshow(share.numpy(), cmap="Blues", vmin=0, vmax=1)
        step = max(1, classes // 40)
        axes.set_xticks(range(0, classes, step), names[::step], rotation=90 if classes > 5 or max(map(len, names)) > 6 else 0, fontsize=8)
        axes.set_yticks(range(0, classes, step), names[::step], fontsize=8)
        if classes <= NUMBERED:
            for true in range(classes):
                for said in range(classes):
                    if count := int(counts[true, said]):
                        color = "white" if share[true, said] > 0.5 else "#333333"
                        axes.text(said, true, str(count), ha="center", va="center", color=color, fontsize=8)
        axes.set_xlabel(_say(messages.PICTURE_PREDICTED))
        axes.set_ylabel(_say(messages.PICTURE_TRUE))
        axes.set_title(_say(messages.PICTURE_CONFUSION, rows=int(counts.sum())), loc="left", fontsize=10)
        figure.colorbar(image, ax=axes, shrink=0.8, label=_say(messages.PICTURE_SHARE))
    return path


def _calibration(found: Evaluation, path: Path) -> Path:
    most = max((rows for rows, _, _ in found.calibration), default=1)
    with _figure(path, (5.2, 4.8)) as (_, axes):
        axes.plot([0, 1], [0, 1], color="#999999", linewidth=1, linestyle="--", label=_say(messages.PICTURE_PERFECT))
        across, up = [c for _, c, _ in found.calibration], [a for _, _, a in found.calibration]
        axes.plot(across, up, color=COLORS[1], linewidth=1.2)
        axes.scatter(
            across, up, s=[20 + 180 * rows / most for rows, _, _ in found.calibration], color=COLORS[1], label=_say(messages.PICTURE_BINS)
        )
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel=_say(messages.PICTURE_CONFIDENCE), ylabel=_say(messages.PICTURE_ACCURACY))
        axes.set_title(_say(messages.PICTURE_ECE, ece=f"{found.ece or 0:.3f}"), loc="left", fontsize=10)
        axes.grid(alpha=0.25, linewidth=0.6)
        axes.legend(frameon=False, loc="upper left", fontsize=9)
    return path


def _residuals(found: Evaluation, path: Path) -> Path:
    assert found.prediction is not None and found.prediction.values is not None and found.targets is not None
    true, said = found.targets.flatten(), found.prediction.values.flatten()
    thin = slice(None, None, max(1, len(true) // 5000))
    with _figure(path, (5.4, 5.0)) as (_, axes):
        low, high = min(float(true.min()), float(said.min())), max(float(true.max()), float(said.max()))
        axes.plot([low, high], [low, high], color="#999999", linewidth=1, linestyle="--", label=_say(messages.PICTURE_PERFECT))
        axes.scatter(true[thin].numpy(), said[thin].numpy(), s=6, alpha=0.4, color=COLORS[1], edgecolors="none")
        axes.set(xlabel=_say(messages.PICTURE_TRUE), ylabel=_say(messages.PICTURE_PREDICTED))
        axes.grid(alpha=0.25, linewidth=0.6)
        axes.legend(frameon=False, loc="upper left", fontsize=9)
    return path


def _short(name: str) -> str:
    return name if len(name) <= 18 else name[:17] + "…"
