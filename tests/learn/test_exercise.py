"""Exercises: a stub is not yet an answer, the solution is, and each wrong one gets its own hint."""

from __future__ import annotations

from pathlib import Path

import pytest

from danlu.errors import BadInput
from danlu.learn import verify
from danlu.learn.exercise import Exercise, exercises

from .conftest import FILES as LESSON

FILES = {name: body for name, body in LESSON.items() if name.startswith(("exercises/", "solutions/"))}


@pytest.fixture
def exercise(tmp_path: Path) -> Exercise:
    folder = tmp_path / "07_double"
    for name, body in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body, "utf-8")
    return exercises(folder, "07")[0]


def problems(exercise: Exercise) -> list[str]:
    return [str(problem) for problem in verify.exercise(exercise)]


def test_a_sound_exercise(exercise: Exercise) -> None:
    assert (exercise.id, exercise.function) == ("07.1", "double")
    assert problems(exercise) == []


def test_hints_come_in_order_and_a_later_one_only_when_earlier_ones_hold(exercise: Exercise) -> None:
    assert exercise.check(lambda x: x).hint == "same"
    assert exercise.check(lambda x: x * x).hint == "square"
    assert exercise.check(lambda x: 7).hint == "wrong"
    assert exercise.check(lambda x: x + x).right


def test_failures_of_the_learner_are_answers(exercise: Exercise, tmp_path: Path) -> None:
    assert "returned nothing" in str(exercise.check(lambda x: None))
    path = tmp_path / "mine.py"
    path.write_text("def double(x):\n    y = 2\n    return y / (x - 3)\n", "utf-8")
    said = str(exercise.check_file(path))
    assert "line 3" in said
    assert "ZeroDivisionError" in said
    path.write_text("def dobule(x):\n    return 2 * x\n", "utf-8")
    with pytest.raises(BadInput, match="dobule"):
        exercise.check_file(path)
    path.write_text("def double(x):\nreturn\n", "utf-8")
    with pytest.raises(BadInput, match=r"mine\.py:2"):
        exercise.check_file(path)


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("exercises/1.py", "raise NotImplementedError", "return 2 * x", "stub must say"),
        ("exercises/1.py", "raise NotImplementedError", "return 0", "stub must say"),
        ("solutions/1.py", "2 * x", "3 * x", "solution does not pass"),
        ("solutions/1_wrong.py", "return x * x", "return x", "`square` does not get its own hint"),
        ("solutions/1_wrong.py", "return x * x", "return 2 * x", "`square` does not get its own hint"),
        ("solutions/1_wrong.py", "def square", "def _square", "at least 3"),
        ("solutions/1_wrong.py", "def square", "def _square", "hint `square` is ever given"),
    ],
)
def test_an_exercise_that_does_not_check_is_refused(exercise: Exercise, file: str, old: str, new: str, named: str) -> None:
    path = exercise.folder / file
    assert old in path.read_text("utf-8")
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    assert any(named in problem for problem in problems(exercise)), problems(exercise)


def test_a_missing_file_is_named(exercise: Exercise) -> None:
    exercise.wrong.unlink()
    with pytest.raises(BadInput, match=r"1_wrong\.py"):
        exercises(exercise.folder, "07")
