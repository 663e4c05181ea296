"""A sound lesson has no problems; each way of going wrong is found, alone, and named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from danlu.errors import BadInput, speak
from danlu.learn import lesson, lint, verify
from danlu.learn.lesson import Lesson

from .conftest import edit, restamp


def problems(found: Lesson) -> list[str]:
    return [str(problem) for problem in lint.lint(found)]


def test_a_sound_lesson(tiny: Lesson) -> None:
    assert problems(tiny) == []
    assert verify.problems(tiny) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("text.en.md", "Some words.", "Other words.", "does not go with the English"),
        ("text.zh.md", "{code}`measure`\n", "", "{code}`measure`"),
        ("text.zh.md", "(predict)=", "(guess)=", "the sections are not those"),
        ("text.zh.md", "几句话。", "几句话, 如此。", "half-width"),
        ("text.zh.md", "几句话。", "准确率是 0.93。", "`0.93` stands bare"),
        ("lesson.yaml", "zh: 加倍", "zh: Doubling", "half-width mark, or none"),
        ("quiz.yaml", "zh: 它是两倍。", "zh: 它是 2 倍。", "`2` stands bare"),
        ("quiz.yaml", "twice.size:~.2f`.", "twice.sise:~.2f`.", "twice.sise"),
        ("quiz.yaml", "value: twice.size", "value: twice.sise", "twice.sise"),
    ],
)
def test_one_problem(folder: Path, file: str, old: str, new: str, named: str) -> None:
    found = problems(edit(folder, file, old, new))
    assert any(named in problem for problem in found), found


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("twice.size:.2f", "twice.sise:.2f", "twice.sise"),
        ("`FACTOR`", "`FACTR`", "FACTR"),
        ("{figure}`sizes:", "{figure}`size:", "size.en.svg"),
        ("{figure}`sizes: Two sizes`", "{figure}`sizes`", "caption"),
        ("{claim}`larger`", "{claim}`smaller`", "smaller"),
        ("{claim}`larger`", "", "`{claim}` must show each once"),
        ("{quiz}`how_much`", "{quiz}`how_much`\n\n{quiz}`how_much`", "`{quiz}` must show each once"),
        ("{code}`setup`", "{code}`measure`", "`{code}` must show each once"),
        ("{exercise}`1`", "{exercise}`2`", "no exercise `2`"),
        ("{readings}`all`", "", "further reading"),
    ],
)
def test_one_problem_of_both_texts(folder: Path, old: str, new: str, named: str) -> None:
    for language in ("en", "zh"):
        there = "{figure}`sizes: 两个大小`" if language == "zh" and "Two sizes" in old else old
        edit(folder, f"text.{language}.md", there, new)
    restamp(folder)
    found = problems(lesson.read(folder))
    assert any(named in problem for problem in found), found


def test_results_of_other_code(folder: Path) -> None:
    assert any("have changed since" in problem for problem in problems(edit(folder, "lesson.py", "FACTOR = 2", "FACTOR = 3")))


def test_imports_that_would_not_be_noticed(folder: Path) -> None:
    found = problems(edit(folder, "lesson.py", "FACTOR = 2", "from danlu import Recipe\nFACTOR = 2"))
    assert any("not from `danlu`" in problem for problem in found)


def test_an_exercise_that_would_replace_a_function_of_the_lesson(folder: Path) -> None:
    found = edit(folder, "lesson.py", "FACTOR = 2", "FACTOR = 2\n\n\ndef double(x):\n    return 2 * x")
    assert any("asks for a function `double`" in problem for problem in problems(found))


def test_a_lesson_without_results(folder: Path) -> None:
    (folder / "results.json").unlink()
    assert any("--record makes it" in problem for problem in problems(lesson.read(folder)))


def test_a_value_that_is_blank_is_a_problem(folder: Path) -> None:
    path = folder / "results.json"
    data = json.loads(path.read_text("utf-8"))
    data["values"]["exact"] = {"values": [None], "seeds": [], "mean": None, "deviation": None, "low": None, "high": None}
    path.write_text(json.dumps(data), "utf-8")
    assert any("`exact` has no value" in problem for problem in problems(lesson.read(folder)))


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("lesson.yaml", "title:", "titel:", "titel"),
        ("lesson.yaml", ", zh: 加倍", "", "`zh` must be given"),
        ("lesson.yaml", 'scope: ["1.1"]', "scope: [1.1]", "lesson.yaml:4"),
        ("lesson.yaml", "https://", "http://", "https://"),
        ("lesson.py", "# %% measure", "# %% setup", "`setup` is there twice"),
        ("lesson.py", "def measure(seeds):", "def measure(seeds:", "lesson.py"),
    ],
)
def test_a_lesson_that_cannot_be_read(folder: Path, file: str, old: str, new: str, named: str) -> None:
    with pytest.raises(BadInput) as caught:
        edit(folder, file, old, new)
    assert named in str(caught.value)


def test_problems_speak_chinese(folder: Path) -> None:
    speak("zh")
    found = problems(edit(folder, "text.zh.md", "几句话。", "准确率是 0.93。"))
    assert any("裸数字" in problem for problem in found)
