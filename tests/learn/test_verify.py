"""A lesson that lies, drifts, does not run, or costs too much is refused; one that has not changed is left alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from danlu.errors import BadInput
from danlu.learn import lesson, measure, verify
from danlu.learn.lesson import Lesson
from danlu.study.results import Results, measured

from .conftest import edit


@pytest.mark.slow
def test_the_same_again(tiny: Lesson) -> None:
    assert [str(problem) for problem in verify.rerun(tiny)] == []
    assert not verify.stale(tiny)


@pytest.mark.slow
def test_more_seeds_agree(tiny: Lesson) -> None:
    assert [str(problem) for problem in verify.rerun(tiny, seeds=8)] == []


def test_a_figure_that_is_not_of_these_results(folder: Path) -> None:
    found = lesson.read(folder)
    assert [*verify.redrawn(found)] == []
    path = folder / "sizes.zh.svg"
    drawn = path.read_text("utf-8")
    path.write_text(drawn.replace("大小", "很大"), "utf-8")
    assert "sizes.zh.svg is not what" in str(next(verify.redrawn(found)))
    path.write_text(drawn, "utf-8")
    (folder / "old.en.svg").write_text("<svg/>", "utf-8")
    assert "old.en.svg is not what" in str(next(verify.redrawn(found)))


def record(folder: Path) -> None:
    measure.measure(lesson.read(folder), folder, 5)


def test_stale_when_code_or_torch_is_another(folder: Path) -> None:
    assert verify.stale(edit(folder, "lesson.py", "FACTOR = 2", "FACTOR = 2.0"))
    record(folder)
    assert not verify.stale(lesson.read(folder))
    data = json.loads((folder / "results.json").read_text("utf-8"))
    data["tables"]["lesson"]["torch"] = "1.0"
    (folder / "results.json").write_text(json.dumps(data), "utf-8")
    assert verify.stale(lesson.read(folder))


def test_claims_are_read_before_anything_is_measured(folder: Path) -> None:
    edit(folder, "lesson.py", "def measure(seeds):", "def measure(seeds):\n    raise AssertionError('measured first')")
    found = edit(folder, "claims.yaml", "relation: greater", "relation: taller")
    with pytest.raises(BadInput, match="taller"):
        measure.measure(found, folder, 5)


def test_a_lesson_that_lies(folder: Path) -> None:
    """Its verdict was recorded with another factor, and the digest made to fit."""
    edit(folder, "lesson.py", "FACTOR = 2", "FACTOR = 1.1")
    found = [str(problem) for problem in verify.rerun(lesson.read(folder))]
    assert any("the verdict on `larger` was SUPPORTED and is now NOT SUPPORTED" in problem for problem in found), found
    assert any("`twice.size` was within" in problem for problem in found), found


@pytest.mark.slow
def test_a_lesson_that_does_not_run(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    edit(folder, "lesson.py", "values = {", "raise RuntimeError('no')\n    values = {")
    assert "did not run" in str(next(verify.rerun(lesson.read(folder))))
    assert "RuntimeError" in capfd.readouterr().err


def test_a_lesson_that_asks_the_network(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    reach = "import socket\n    socket.create_connection(('192.0.2.1', 80), 5)\n    values = {"
    edit(folder, "lesson.py", "values = {", reach)
    assert "did not run" in str(next(verify.rerun(lesson.read(folder))))
    assert "without a network" in capfd.readouterr().err


@pytest.mark.slow
def test_a_lesson_that_costs_too_much(tiny: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "CPU_SECONDS", 0)
    monkeypatch.setattr(measure, "BYTES", 1000)
    found = [str(problem) for problem in verify.rerun(tiny)]
    assert any("CPU-seconds" in problem for problem in found)
    assert any("GB of memory" in problem for problem in found)


def test_what_differs_by_rounding_or_within_intervals_agrees() -> None:
    wide = measured({seed: 1.0 + 0.1 * seed for seed in range(5)})
    near = measured({seed: 1.05 + 0.1 * seed for seed in range(5)})
    far = measured({seed: 5.0 + 0.1 * seed for seed in range(5)})
    kept = Results("07", {"a": wide, "b": measured(1.0)})
    assert [*verify.compared(kept, Results("07", {"a": near, "b": measured(1.0 + 1e-9)}))] == []
    found = [str(problem) for problem in verify.compared(kept, Results("07", {"a": far, "b": measured(1.5)}))]
    assert len(found) == 2
    assert len([*verify.compared(kept, Results("07", {"a": near}))]) == 1


def test_only_evidence_turns_a_verdict_round(tiny: Lesson) -> None:
    kept = tiny.results
    verdict = kept.verdicts["larger"]
    unsure = replace(kept, verdicts={"larger": replace(verdict, word="INCONCLUSIVE", p_against=0.2)})
    turned = replace(kept, verdicts={"larger": replace(verdict, word="NOT SUPPORTED", p_against=0.001)})
    assert [*verify.compared(kept, unsure)] == []
    assert len([*verify.compared(kept, turned)]) == 1
    assert [*verify.compared(unsure, kept)] == []
