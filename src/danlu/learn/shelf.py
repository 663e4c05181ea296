"""Where the lessons are, which there are, and the paths through them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import danlu
from danlu import messages
from danlu.describe.places import Spot
from danlu.errors import BadInput, Sentence
from danlu.find import hint
from danlu.learn import lesson, strict
from danlu.learn.exercise import Exercise
from danlu.learn.lesson import FOLDER, Lesson


@dataclass(frozen=True)
class Route:
    """A learning path: lesson ids in order. `planned` may hold lessons that are not written yet."""

    id: str
    title: Sentence
    about: Sentence
    planned: tuple[str, ...]
    exit_task: Sentence


def home() -> Path:
    """The folder of the lessons: that of the checkout, else that of the installed package. Raises BadInput when there is neither."""
    package = Path(danlu.__path__[0])
    checkout = package.parents[1] / "lessons"
    for folder in (checkout, package / "lessons"):
        if (folder / "paths.yaml").is_file():
            return folder
    raise BadInput(messages.LESSONS_MISSING, folder=package / "lessons")


def folders() -> dict[str, Path]:
    """Every lesson's folder by its id, in order. Raises BadInput where two have one number."""
    found: dict[str, Path] = {}
    for path in sorted(home().iterdir()):
        if path.is_dir() and (known := FOLDER.fullmatch(path.name)):
            if known[1] in found:
                raise BadInput(messages.LESSON_NUMBER_TWICE, id=known[1], first=found[known[1]].name, second=path.name)
            found[known[1]] = path
    return found


def find(word: str) -> Lesson:
    """The lesson of that id (`3`, `03`) or name (`learning_rate`, `03_learning_rate`). Raises BadInput with the nearest one."""
    there = folders()
    names = {_name(path): path for path in there.values()}
    path = there.get(word.zfill(2)) or names.get(word.replace("-", "_")) or next((p for p in there.values() if p.name == word), None)
    if path is None:
        raise BadInput(messages.LESSON_UNKNOWN, word=word, hint=hint(word, words()))
    return lesson.read(path)


def words() -> list[str]:
    """What lessons may be called by: their ids and their names."""
    there = folders()
    return [*there, *map(_name, there.values())]


def _name(path: Path) -> str:
    return path.name.partition("_")[2]


def find_exercise(word: str) -> Exercise:
    """The exercise `03.1`. Raises BadInput."""
    where, dot, number = word.partition(".")
    found = find(where)
    wanted = f"{found.id}.{number}" if dot else ""
    for each in found.exercises:
        if each.id == wanted or (not dot and len(found.exercises) == 1):
            return each
    raise BadInput(messages.EXERCISE_UNKNOWN, word=word, names=", ".join(each.id for each in found.exercises) or "-")


def paths() -> tuple[Route, ...]:
    """The learning paths of `paths.yaml`, in order. Raises BadInput."""
    data, spot = strict.document(home() / "paths.yaml")
    if not isinstance(data, dict):
        raise spot.wrong(messages.LESSON_MISSING_KEY, key="beginner")
    return tuple(_path(name, given, spot.at(name)) for name, given in data.items())


def _path(name: str, data: Any, spot: Spot) -> Route:
    given = strict.mapping(data, spot, ("title", "about", "lessons", "exit_task"))
    says = {key: strict.sentence(given[key], spot.at(key)) for key in ("title", "about", "exit_task")}
    planned = strict.texts(given["lessons"], spot.at("lessons"))
    if len(set(planned)) != len(planned):
        raise spot.at("lessons").wrong(messages.PATH_TWICE)
    return Route(name, says["title"], says["about"], planned, says["exit_task"])
