"""How far a learner has come: one small file in the user's data folder; no account, no service."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from danlu.errors import NoSpace
from danlu.folders import data_folder
from danlu.learn.lesson import Lesson
from danlu.run import durable


@dataclass
class Done:
    """What was done of one lesson: days (YYYY-MM-DD), and the quiz's score (right, of)."""

    opened: str = ""
    ran: str = ""
    quiz: list[int] = field(default_factory=list)
    exercises: dict[str, str] = field(default_factory=dict)

    def finished(self, lesson: Lesson) -> bool:
        """Run, every question answered, every exercise passed."""
        return bool(self.ran and (self.quiz or not lesson.quiz) and all(each.id in self.exercises for each in lesson.exercises))


def file() -> Path:
    return data_folder() / "learn.json"


def read() -> dict[str, Done]:
    """By lesson id; a file that is damaged or of another form counts as none, since progress is no result."""
    try:
        data = json.loads(file().read_text("utf-8"))
        return {
            str(id_): Done(**{name: kept for name, kept in each.items() if name in Done.__dataclass_fields__}) for id_, each in data.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def of(lesson: str) -> Done:
    return read().get(lesson, Done())


def opened(lesson: str) -> None:
    _write(lesson, opened=_today())


def ran(lesson: str) -> None:
    _write(lesson, ran=_today())


def answered(lesson: str, right: int, asked: int) -> None:
    _write(lesson, quiz=[right, asked])


def passed(exercise: str) -> None:
    lesson = exercise.partition(".")[0]
    _write(lesson, exercises={**of(lesson).exercises, exercise: _today()})


def _write(lesson: str, **changed: Any) -> None:
    everything = read()
    done = everything.setdefault(lesson, Done())
    for name, value in changed.items():
        setattr(done, name, value)
    path = file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        plain = {id_: vars(each) for id_, each in sorted(everything.items())}
        durable.replace(path, json.dumps(plain, ensure_ascii=False, indent=1) + "\n")
    except (NoSpace, OSError):
        pass  # a lesson is taught where nothing can be written, too


def _today() -> str:
    return date.today().isoformat()
