"""A worked case: a page like a lesson's, about one data set from a baseline to a tuned model, with neither quiz nor exercises.

cases/fashion_mnist/
    case.yaml                title, question, scope rows, data, what it teaches, further reading
    measure.py               the code, in cells; running it measures everything again and writes the results
    text.en.md, text.zh.md, claims.yaml, results.json, *.svg    as those of a lesson

It takes many minutes, so nothing runs it again by itself; the lint sees that its results are those of this measure.py and claims.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from danlu.find.names import Phrase
from danlu.learn import lint, shelf
from danlu.learn.lesson import Lesson, code, described

RULES = (lint.in_step, lint.numbers, lint.chinese, lint.short_texts, lint.shown, lint.filled, lint.named, lint.recorded)


@dataclass(frozen=True)
class Case(Lesson):
    """Its id is the name of its folder."""

    @property
    def code(self) -> Path:
        return self.folder / "measure.py"


def read(folder: Path) -> Case:
    """Raises BadInput, naming file and line, for whatever is not as it should be."""
    cells, constants = code(folder / "measure.py")
    return Case(folder, folder.name, **described(folder / "case.yaml"), cells=cells, constants=constants, quiz=(), exercises=())


def folders() -> list[Path]:
    """Every case of the checkout; an installed package has none."""
    return sorted(path.parent for path in (shelf.home().parent / "cases").glob("*/case.yaml"))


def problems(case: Case) -> Iterator[Phrase]:
    """Everything that is wrong with it as it is written."""
    for rule in RULES:
        yield from lint.all_of(rule, case)
