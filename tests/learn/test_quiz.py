"""The right choice of a question follows from results, and a question that they do not decide is an error."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from danlu.errors import BadInput
from danlu.learn import quiz

SAYS = "says: {en: yes, zh: 是}, why: {en: because, zh: 因为}"
RANGES = """
start:
  ask: {en: How much?, zh: 多少？}
  value: a.loss
  choices:
    - {%s, below: 1}
    - {%s, from: 1, below: 3}
    - {%s, from: 3}
""" % (SAYS, SAYS, SAYS)  # fmt: skip  # noqa: UP031
PICK = """
best:
  ask: {en: Which?, zh: 哪个？}
  pick: smallest
  choices:
    - {%s, value: a.loss}
    - {%s, value: b.loss}
""" % (SAYS, SAYS)  # fmt: skip  # noqa: UP031
VERDICT = """
helps:
  ask: {en: Does it?, zh: 会吗？}
  verdict: it_helps
  choices:
    - {%s, is: SUPPORTED}
    - {%s, is: NOT SUPPORTED}
""" % (SAYS, SAYS)  # fmt: skip  # noqa: UP031


def results(**means: float | None) -> Any:
    values = {f"{name}.loss": SimpleNamespace(mean=mean, n=5, values=(mean,) * 5) for name, mean in means.items()}
    verdicts = {"it_helps": SimpleNamespace(word="NOT SUPPORTED")}
    return SimpleNamespace(value=lambda key: values[key], verdicts=verdicts)


def questions(folder: Path, body: str) -> tuple[quiz.Question, ...]:
    path = folder / "quiz.yaml"
    path.write_text(body, "utf-8")
    return quiz.read(path)


@pytest.mark.parametrize(("mean", "right"), [(-5.0, 0), (0.99, 0), (1.0, 1), (2.9, 1), (3.0, 2), (1e9, 2)])
def test_the_range_that_holds_the_value(tmp_path: Path, mean: float, right: int) -> None:
    assert questions(tmp_path, RANGES)[0].right(results(a=mean)) == right


def test_the_smallest_or_the_largest(tmp_path: Path) -> None:
    assert questions(tmp_path, PICK)[0].right(results(a=2.0, b=1.0)) == 1
    assert questions(tmp_path, PICK.replace("smallest", "largest"))[0].right(results(a=2.0, b=1.0)) == 0
    assert questions(tmp_path, PICK)[0].keys == ["a.loss", "b.loss"]


def test_the_verdict(tmp_path: Path) -> None:
    assert questions(tmp_path, VERDICT)[0].right(results()) == 1


def test_results_that_decide_nothing_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="exactly one"):
        questions(tmp_path, PICK)[0].right(results(a=1.0, b=1.0))
    with pytest.raises(BadInput, match="no value"):
        questions(tmp_path, RANGES)[0].right(results(a=None))
    with pytest.raises(BadInput, match="exactly one"):
        questions(tmp_path, VERDICT.replace("NOT SUPPORTED", "INCONCLUSIVE"))[0].right(results())
    with pytest.raises(BadInput, match="no verdict"):
        questions(tmp_path, VERDICT.replace("it_helps", "it_hurts"))[0].right(results())


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("from: 1, below: 3", "from: 1.5, below: 3", "without a gap"),
        ("from: 3", "from: 3, below: 9", "without a gap"),
        ("from: 1, below: 3", "from: 3, below: 1", "without a gap"),
        ("value: a.loss", "value: a.loss\n  pick: largest", "exactly one"),
        ("below: 1}", "belw: 1}", "below"),
        ("en: How much?, ", "", "`en` must be given"),
        ("why: {en: because, zh: 因为}, below: 1", "below: 1", "`why` must be given"),
    ],
)
def test_a_question_that_is_not_whole(tmp_path: Path, old: str, new: str, named: str) -> None:
    assert old in RANGES
    with pytest.raises(BadInput) as caught:
        questions(tmp_path, RANGES.replace(old, new, 1))
    assert "quiz.yaml:" in str(caught.value)
    assert named in str(caught.value)
