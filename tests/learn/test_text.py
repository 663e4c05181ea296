"""The text of a lesson: sections, digests that keep two languages in step, and roles."""

from __future__ import annotations

from pathlib import Path

import pytest

from danlu.errors import BadInput
from danlu.learn import prose, text

ENGLISH = """Before any label, {measured}`a.loss:.2f`.

(one)=
## One

Words that
are broken here.

{code}`setup`

(two)=
## Two

```python
x = "{measured}`not.a.role`"
```

{figure}`curve: A curve`
"""
CHINESE = """标签之前，{measured}`a.loss:.2f`。

(one)=
## 一

几句话。

{code}`setup`

(two)=
## 二

{figure}`curve: 一条曲线`
"""


def written(folder: Path, english: str = ENGLISH, chinese: str = CHINESE) -> tuple[text.Text, text.Text]:
    found = []
    for language, body in (("en", english), ("zh", chinese)):
        path = folder / f"text.{language}.md"
        path.write_text(body, "utf-8")
        found.append(text.read(path))
    return found[0], found[1]


def test_sections_and_roles_with_their_lines(tmp_path: Path) -> None:
    english, _ = written(tmp_path)
    assert [section.id for section in english.sections] == ["top", "one", "two"]
    lines = ENGLISH.splitlines()
    assert [(role.kind, role.name) for role in english.roles()] == [("measured", "a.loss"), ("code", "setup"), ("figure", "curve")]
    for role in english.roles():
        assert role.content in lines[role.line - 1]


def test_a_digest_is_of_the_words_and_not_of_how_lines_break(tmp_path: Path) -> None:
    english, _ = written(tmp_path)
    rewrapped, _ = written(tmp_path, ENGLISH.replace("that\nare", "that are"))
    changed, _ = written(tmp_path, ENGLISH.replace("are broken", "are not broken"))
    digests = [[section.digest for section in each.sections] for each in (english, rewrapped, changed)]
    assert digests[0] == digests[1]
    assert [a == b for a, b in zip(digests[0], digests[2])] == [True, False, True]


def test_stamping_puts_every_section_in_step_and_changes_nothing_else(tmp_path: Path) -> None:
    english, chinese = written(tmp_path)
    assert [section.goes_with for section in chinese.sections] == [None, None, None]
    stamped = text.stamp(english, chinese)
    _, again = written(tmp_path, ENGLISH, stamped)
    assert [section.goes_with for section in again.sections] == [section.digest for section in english.sections]
    assert [section.body for section in again.sections] == [section.body for section in chinese.sections]
    assert text.stamp(english, again) == stamped
    assert text.stamp(english, again).replace("\n", "") != CHINESE.replace("\n", "")


@pytest.mark.parametrize(
    ("body", "line", "named"),
    [
        ("(one)=\n## A\n\n(one)=\n## B\n", 4, "twice"),
        ("Some {measurd}`x` here.\n", 1, "measured"),
        ("(one)=\n## A\n\nSee {figure}`x: y` here.\n", 4, "a line of its own"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, body: str, line: int, named: str) -> None:
    with pytest.raises(BadInput) as caught:
        written(tmp_path, body)
    assert f"text.en.md:{line}" in str(caught.value)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        "It reaches 0.93 in the end.", "On line\ntwo it has 93 % of it.", "ninety percent", "它达到了 93%。", "百分之九十三",
        "(accuracy 0.93 in 2015)", "(He 2015; it has 93 points)",
        "seed 7 wins", "about 3x faster",
    ],
)  # fmt: skip
def test_a_bare_number_in_prose_is_found(body: str) -> None:
    assert prose.bare_numbers(body)


@pytest.mark.parametrize(
    "body",
    [
        "(He et al. 2015; Cohen et al. 2021a, 2022)（He 等，2015；Cohen 等，2021）",
        "It reaches {measured}`a.b:.2f` with {set}`ROWS` rows.", "$x^2 + 1$ and $$\\frac12$$", "`lr=0.1`", "see [He](https://x.org/2015/1)",
        "(He et al. 2015) and（Cohen 等，2021）", "fp16, L2, CS231n, AdamW", "1. first\n2. second", "```python\nx = 0.93\n```",
    ],
)  # fmt: skip
def test_what_somebody_vouches_for_may_stand(body: str) -> None:
    assert prose.bare_numbers(body) == []


def test_the_line_of_a_bare_number() -> None:
    assert prose.bare_numbers("one\n\n`0.1` and 0.2\n") == [(2, "0.2")]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ("学习率,很重要", True),
        ("是吗?是", True),
        ("公式(1)里", True),
        ("学习率，很重要。", False),
        ("用 `a, b` 与 lr=0.1, 0.2", False),
        ("见 $f(x)$。", False),
    ],
)
def test_half_width_marks_in_chinese(body: str, wrong: bool) -> None:
    assert bool(prose.half_width(body)) == wrong
