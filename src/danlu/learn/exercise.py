"""Exercises that check themselves.

    exercises/1.py           what the learner gets: one function whose body raises NotImplementedError
    exercises/1_check.py     HINTS = {name: Sentence}, and `check(that_function)`, which yields (holds, hint name) one after the other
    solutions/1.py           the function, written out
    solutions/1_wrong.py     wrong answers: a function for each hint, by the name of the hint that must be given for it

The first pair that does not hold ends the check with its hint, so a later one may rely on what an earlier one found.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from danlu import messages
from danlu.describe import user_file
from danlu.errors import BadInput, Sentence, say
from danlu.find import hint
from danlu.find.names import Phrase

LEAST_WRONG = 3  # wrong answers that an exercise must know


@dataclass(frozen=True)
class Answer:
    """What a check says: right, or the name of a hint ("" for what no hint is written for) and the sentence to show."""

    right: bool
    hint: str = ""
    said: Phrase | Sentence | None = None

    def __str__(self) -> str:
        return "" if self.said is None else say(self.said) if isinstance(self.said, Sentence) else str(self.said)


@dataclass(frozen=True)
class Exercise:
    """id: `03.1`; folder: the lesson's."""

    id: str
    folder: Path

    @property
    def number(self) -> str:
        return self.id.partition(".")[2]

    @property
    def stub(self) -> Path:
        return self.folder / "exercises" / f"{self.number}.py"

    @property
    def solution(self) -> Path:
        return self.folder / "solutions" / f"{self.number}.py"

    @property
    def wrong(self) -> Path:
        return self.folder / "solutions" / f"{self.number}_wrong.py"

    @property
    def given_name(self) -> str:
        """How the learner's copy of the stub is called."""
        return f"exercise_{self.number}.py"

    def _checking(self) -> tuple[Callable[..., Any], dict[str, Sentence]]:
        path = self.folder / "exercises" / f"{self.number}_check.py"
        return user_file.load(f"{path}:check"), user_file.load(f"{path}:HINTS")

    @property
    def hints(self) -> dict[str, Sentence]:
        return self._checking()[1]

    @property
    def function(self) -> str:
        """The name of the function that is asked for: the one parameter of `check`."""
        return next(iter(inspect.signature(self._checking()[0]).parameters))

    def check_file(self, path: Path) -> Answer:
        """Check the function of that name in a file. Raises BadInput when the file cannot be read, fails, or has no such function."""
        return self.check(user_file.load(f"{path}:{self.function}"))

    def check(self, function: Callable[..., Any]) -> Answer:
        """Whether the function is right; where it is not, the first hint that fits. What it raises is an answer too."""
        check, hints = self._checking()
        try:
            for holds, name in check(_answering(function)):
                if name not in hints:
                    raise BadInput(messages.EXERCISE_NO_HINT, id=self.id, name=name, hint=hint(name, list(hints)))
                if not holds:
                    return Answer(False, name, hints[name])
        except NotImplementedError:
            return Answer(False, "", messages.EXERCISE_NOT_YET)
        except _Nothing:
            return Answer(False, "", messages.EXERCISE_NOTHING)
        except _Raised as raised:
            error = raised.error
            return Answer(False, "", Phrase(messages.EXERCISE_RAISED, line=raised.line, kind=type(error).__name__, error=error))
        return Answer(True)

    def wrong_answers(self) -> dict[str, Callable[..., Any]]:
        """The wrong answers, by the name of the hint that each must get."""
        module = user_file.load(f"{self.wrong}:__name__")
        import sys

        return _functions(sys.modules[module])


class _Nothing(Exception):
    """The learner's function returned nothing."""


class _Raised(Exception):
    """The learner's function raised something."""

    def __init__(self, error: Exception, line: int):
        self.error, self.line = error, line


def _answering(function: Callable[..., Any]) -> Callable[..., Any]:
    """The learner's function, whose own failures are told from those of the check."""

    def answer(*args: Any, **keywords: Any) -> Any:
        try:
            found = function(*args, **keywords)
        except NotImplementedError:
            raise
        except Exception as error:
            lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == function.__code__.co_filename]
            raise _Raised(error, (lines[-1] if lines else None) or 0) from error
        if found is None:
            raise _Nothing
        return found

    return answer


def _functions(module: ModuleType) -> dict[str, Callable[..., Any]]:
    return {
        name: thing
        for name, thing in vars(module).items()
        if inspect.isfunction(thing) and not name.startswith("_") and thing.__module__ == module.__name__
    }


def exercises(folder: Path, lesson: str) -> tuple[Exercise, ...]:
    """The exercises of a lesson, in order: each number in `exercises/` that has a stub. Raises BadInput for a missing file of one."""
    stubs = sorted((path for path in (folder / "exercises").glob("*.py") if path.stem.isdigit()), key=lambda path: int(path.stem))
    found = tuple(Exercise(f"{lesson}.{path.stem}", folder) for path in stubs)
    for each in found:
        for path in (each.solution, each.wrong, each.stub.with_name(f"{each.number}_check.py")):
            if not path.is_file():
                raise BadInput(messages.EXERCISE_NO_FILE, id=each.id, path=path)
    return found
