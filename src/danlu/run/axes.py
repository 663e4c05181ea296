"""One picture of one panel, in the chosen language: what finders and looks at the loss are drawn with."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from danlu import messages
from danlu.errors import BadInput, Sentence, say
from danlu.run.fonts import chinese_font, drawing


@contextmanager
def picture(out: str | os.PathLike[str], tell: Callable[[str], None], size: tuple[float, float] = (7.2, 4.0)) -> Iterator[Any]:
    """The axes of a picture that is written to `out` at the end. Raises BadInput for what is no .png or .svg, or cannot be written."""
    from matplotlib.figure import Figure

    path = Path(out)
    if path.suffix.lower() not in (".png", ".svg"):
        raise BadInput(messages.PLOT_SUFFIX, path=path)
    with drawing(tell):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        axes.grid(alpha=0.25, linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        yield axes
        try:
            figure.savefig(path, dpi=160, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)
        except OSError as error:
            raise BadInput(messages.RUN_CANNOT_WRITE, folder=path, reason=error.strerror) from error


def worded(sentence: Sentence, **values: object) -> str:
    """In the chosen language, but English where no font has Chinese."""
    return say(sentence, **values) if chinese_font() else sentence.en.format(**values)
