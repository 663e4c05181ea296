"""A whole lesson that takes a moment, in a shelf of its own, and a learner without a past."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from danlu.errors import speak
from danlu.learn import lesson, measure, shelf, text
from danlu.learn.lesson import Lesson

PATHS = """
beginner:
  title: {en: Beginner, zh: 入门}
  about: {en: The first steps., zh: 最初几步。}
  lessons: ["07", "08"]
  exit_task: {en: Do it alone., zh: 独立完成。}
"""
FILES = {
    "lesson.yaml": """
title: {en: Doubling, zh: 加倍}
question: {en: How much is twice?, zh: 两倍是多少？}
scope: ["1.1"]
readings:
  - title: A book
    url: https://example.org/book
    why: {en: for its tables, zh: 看其中的表格}
""",
    "lesson.py": '''"""Twice."""

# %% setup
from danlu.study.results import measured

FACTOR = 2


# %% measure
def measure(seeds):
    """Twice and once each seed."""
    values = {
        "twice.size": measured({seed: FACTOR * (1 + 0.01 * seed) for seed in seeds}),
        "once.size": measured({seed: 1 + 0.01 * seed for seed in seeds}),
        "exact": measured(2.5),
    }
    return values, {"sizes": [1, 2]}


def pictures(results, folder):
    """One picture."""
    for language, word in (("en", "size"), ("zh", "大小")):
        (folder / f"sizes.{language}.svg").write_text(f"<svg><text>{word}</text></svg>", "utf-8")
''',
    "text.en.md": """Some words.

(predict)=
## Predict

{quiz}`how_much`

(code)=
## Code

{code}`setup`

It is {measured}`twice.size:.2f`, exactly {measured}`exact:~.1f`, by a factor of {set}`FACTOR`.

{code}`measure`

{figure}`sizes: Two sizes`

{claim}`larger`

(end)=
## Exercise

{exercise}`1`

{readings}`all`
""",
    "text.zh.md": """几句话。

(predict)=
## 预测

{quiz}`how_much`

(code)=
## 代码

{code}`setup`

是 {measured}`twice.size:.2f`，准确值 {measured}`exact:~.1f`，倍数为 {set}`FACTOR`。

{code}`measure`

{figure}`sizes: 两个大小`

{claim}`larger`

(end)=
## 练习

{exercise}`1`

{readings}`all`
""",
    "claims.yaml": """
larger:
  statement: {en: Twice is more than once., zh: 两倍比一倍多。}
  metric: size
  a: twice
  b: once
  relation: greater
  effect: 0.5
  regime: {en: "numbers from 1 to 1.04", zh: 1 到 1.04 的数}
""",
    "quiz.yaml": """
how_much:
  ask: {en: How large is it?, zh: 有多大？}
  value: twice.size
  choices:
    - {says: {en: below 1, zh: 小于 1}, below: 1, why: {en: "It is {measured}`twice.size:~.2f`.", zh: "它是 {measured}`twice.size:~.2f`。"}}
    - {says: {en: more, zh: 更大}, from: 1, why: {en: It is twice., zh: 它是两倍。}}
""",
    "exercises/1.py": "def double(x):\n    raise NotImplementedError\n",
    "exercises/1_check.py": """
from danlu.errors import Sentence

HINTS = {
    "same": Sentence("That is x itself.", "那是 x 本身。"),
    "square": Sentence("That is x squared.", "那是 x 的平方。"),
    "wrong": Sentence("Not twice x.", "不是两倍的 x。"),
}


def check(double):
    yield double(3) != 3, "same"
    yield double(3) != 9, "square"
    yield double(5) == 10, "wrong"
""",
    "solutions/1.py": "def double(x):\n    return 2 * x\n",
    "solutions/1_wrong.py": "def same(x):\n    return x\n\n\ndef square(x):\n    return x * x\n\n\ndef wrong(x):\n    return 2 * x + 1\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the lesson `07_doubling`, measured; the only lesson there is."""
    home = tmp_path / "lessons"
    made = home / "07_doubling"
    for name, body in FILES.items():
        path = made / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body, "utf-8")
    (home / "paths.yaml").write_text(PATHS, "utf-8")
    monkeypatch.setattr(shelf, "home", lambda: home)
    for variable in ("XDG_DATA_HOME", "APPDATA", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "kept"))
    speak("en")
    restamp(made)
    measure.measure(lesson.read(made), made, 5)
    (made / "cost.json").unlink()
    yield made
    speak(None)


@pytest.fixture
def tiny(folder: Path) -> Lesson:
    return lesson.read(folder)


def restamp(folder: Path) -> None:
    english, chinese = (text.read(folder / f"text.{language}.md") for language in ("en", "zh"))
    chinese.path.write_text(text.stamp(english, chinese), "utf-8")


def edit(folder: Path, file: str, old: str, new: str) -> Lesson:
    """The lesson with one place of one file changed."""
    path = folder / file
    body = path.read_text("utf-8")
    assert old in body
    path.write_text(body.replace(old, new, 1), "utf-8")
    return lesson.read(folder)
