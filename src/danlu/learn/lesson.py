"""A lesson as it lies in its folder, read strictly.

lessons/03_learning_rate/
    lesson.yaml              title, question, scope rows, data, what it teaches, further reading
    lesson.py                the code, in cells (`# %% name`), with `measure(seeds)` and `pictures(results, folder)`
    text.en.md, text.zh.md   see `text.py`
    claims.yaml              see `danlu.study.claims`
    quiz.yaml                see `quiz.py`
    exercises/, solutions/   see `exercise.py`
    results.json, *.svg      what the last recorded run found and drew
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from danlu import messages
from danlu.describe.places import Places, Spot
from danlu.errors import BadInput, Sentence
from danlu.learn import quiz, strict, text
from danlu.learn.exercise import Exercise, exercises
from danlu.learn.text import Text

LANGUAGES = Sentence._fields
FOLDER = re.compile(r"(\d\d)_([a-z0-9_]+)")
_CELL = re.compile(r"^# %% (.+)$")


@dataclass(frozen=True)
class Cell:
    """A cell of lesson.py: its name, and its source without the line that names it."""

    name: str
    source: str


@dataclass(frozen=True)
class Reading:
    """A work to read on, and what to read it for."""

    title: str
    url: str
    why: Sentence


@dataclass(frozen=True)
class Lesson:
    """scope: rows of the scope that it teaches; data: the sets it needs; teaches: names of recipes whose cards show its claims as evidence.

    Claims and results are read when they are asked for.
    """

    folder: Path
    id: str
    title: Sentence
    question: Sentence
    scope: tuple[str, ...]
    data: tuple[str, ...]
    teaches: tuple[str, ...]
    readings: tuple[Reading, ...]
    texts: Mapping[str, Text]
    cells: tuple[Cell, ...]
    constants: Mapping[str, Any]  # what lesson.py sets at its top level to a plain value
    quiz: tuple[quiz.Question, ...]
    exercises: tuple[Exercise, ...]

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def code(self) -> Path:
        return self.folder / "lesson.py"

    @property
    def own_files(self) -> list[Path]:
        """What its results follow from, besides danlu itself."""
        return [self.code, self.folder / "claims.yaml"]

    @functools.cached_property
    def claims(self) -> Mapping[str, Any]:
        """Its claims by id, in the order of the file."""
        from danlu.study.claims import read_claims

        return {claim.id: claim for claim in read_claims(self.folder / "claims.yaml")}

    @functools.cached_property
    def results(self) -> Any:
        """The recorded results. Raises BadInput when there are none."""
        from danlu.study.results import Results

        if not (self.folder / "results.json").is_file():
            raise BadInput(messages.LESSON_NO_RESULTS, id=self.id)
        return Results.read(self.folder / "results.json")

    def figure(self, name: str, language: str) -> Path:
        """The drawn figure. Raises BadInput when there is none."""
        path = self.folder / f"{name}.{language}.svg"
        if not path.is_file():
            raise BadInput(messages.LESSON_NO_FIGURE, id=self.id, path=path)
        return path


def read(folder: Path) -> Lesson:
    """Raises BadInput, naming file and line, for whatever is not as it should be."""
    known = FOLDER.fullmatch(folder.name)
    if known is None:
        raise BadInput(messages.LESSON_FOLDER_NAME, folder=folder)
    cells, constants = code(folder / "lesson.py")
    return Lesson(
        folder=folder,
        id=known[1],
        **described(folder / "lesson.yaml"),
        cells=cells,
        constants=constants,
        quiz=quiz.read(folder / "quiz.yaml"),
        exercises=exercises(folder, known[1]),
    )


def described(file: Path) -> dict[str, Any]:
    """The fields of a lesson that its lesson.yaml and the texts beside it fill. Raises BadInput."""
    data, spot = strict.document(file)
    given = strict.mapping(data, spot, ("title", "question", "scope", "readings"), ("data", "teaches"))
    return {
        "title": strict.sentence(given["title"], spot.at("title")),
        "question": strict.sentence(given["question"], spot.at("question")),
        "scope": strict.texts(given["scope"], spot.at("scope")),
        "data": strict.texts(given.get("data"), spot.at("data")),
        "teaches": strict.texts(given.get("teaches"), spot.at("teaches")),
        "readings": tuple(_reading(item, place) for item, place in strict.entries(given["readings"], spot.at("readings"))),
        "texts": {language: text.read(file.with_name(f"text.{language}.md")) for language in LANGUAGES},
    }


def _reading(data: Any, spot: Spot) -> Reading:
    given = strict.mapping(data, spot, ("title", "url", "why"))
    url = strict.text(given["url"], spot.at("url"))
    if not url.startswith("https://"):
        raise spot.at("url").wrong(messages.LESSON_NOT_A_LINK, found=url)
    return Reading(strict.text(given["title"], spot.at("title")), url, strict.sentence(given["why"], spot.at("why")))


def code(path: Path) -> tuple[tuple[Cell, ...], dict[str, Any]]:
    """The cells of a percent-format file, and its plain top-level constants. Nothing is run. Raises BadInput."""
    try:
        source = path.read_text("utf-8")
        tree = ast.parse(source)
    except (OSError, ValueError, SyntaxError) as error:
        raise BadInput(messages.CANNOT_READ, path=path, error=error) from error
    cells: list[tuple[str, list[str]]] = []
    for number, line in enumerate(source.splitlines(), 1):
        if found := _CELL.match(line):
            name = found[1].strip()
            if name in [known for known, _ in cells]:
                raise Spot(Places(str(path), {(): number})).wrong(messages.LESSON_CELL_TWICE, name=name)
            cells.append((name, []))
        elif cells:
            cells[-1][1].append(line)
    constants: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            try:
                value = ast.literal_eval(node.value)
            except (ValueError, TypeError):
                continue
            names = node.targets[0].elts if isinstance(node.targets[0], ast.Tuple) else [node.targets[0]]
            values = value if isinstance(node.targets[0], ast.Tuple) else [value]
            constants |= {name.id: each for name, each in zip(names, values) if isinstance(name, ast.Name)}
    return tuple(Cell(name, "\n".join(lines).strip("\n")) for name, lines in cells), constants
