"""A lesson as a notebook, and the folder that `danlu learn open` makes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from danlu import messages
from danlu.errors import BadInput, say
from danlu.learn import page
from danlu.learn.lesson import Lesson


def notebook(lesson: Lesson, language: str) -> dict[str, Any]:
    """The page as a notebook (nbformat 4.5): prose and figures in markdown cells, code and exercises in code cells; no outputs."""
    cells = [_cell("markdown", page.heading(lesson, language))]
    for part in page.parts(lesson, language):
        if part.kind == "code":
            cells.append(_cell("code", part.source))
        elif part.kind == "exercise":
            assert part.exercise is not None
            call = f"from danlu.learn.check import check\n\ncheck({part.exercise.id!r}, {part.exercise.function})"
            cells += [_cell("code", part.source), _cell("code", call)]
        elif part.kind == "figure":
            cells.append(_cell("markdown", f"![{part.alt}]({part.source})\n\n*{part.alt}*"))
        else:
            cells.append(_cell("markdown", part.source))
    for number, cell in enumerate(cells):
        cell["id"] = f"{lesson.id}-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 5}


def _cell(kind: str, source: str) -> dict[str, Any]:
    lines = source.splitlines(keepends=True)
    empty: dict[str, Any] = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "id": "", "metadata": {}, "source": lines, **empty}


def copy(lesson: Lesson, language: str, into: Path) -> Path:
    """A new folder in `into`: the notebook, lesson.py, the figures, and each exercise. Raises BadInput where it is there already."""
    folder = into / lesson.name
    written = json.dumps(notebook(lesson, language), ensure_ascii=False, indent=1) + "\n"
    try:
        folder.mkdir()
    except FileExistsError as error:
        raise BadInput(messages.LEARN_THERE_ALREADY, folder=folder) from error
    except OSError as error:
        raise BadInput(messages.RUN_CANNOT_WRITE, folder=folder, reason=error.strerror) from error
    (folder / "lesson.ipynb").write_text(written, "utf-8")
    shutil.copyfile(lesson.code, folder / "lesson.py")
    for figure in lesson.folder.glob(f"*.{language}.svg"):
        shutil.copyfile(figure, folder / figure.name)
    for exercise in lesson.exercises:
        shutil.copyfile(exercise.stub, folder / exercise.given_name)
    return folder


def opened(lesson: Lesson) -> str:
    """What to do with the folder, in the chosen language."""
    return say(messages.LEARN_OPENED, folder=lesson.name, id=lesson.id)
