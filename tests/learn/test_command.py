"""`danlu learn`, as a learner and as an author meet it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from danlu.cli.main import main
from danlu.learn import progress

from .conftest import edit


@pytest.fixture
def learn(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.setenv("DANLU_LANG", "en")

    def call(*words: str, typed: str = "") -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = main(["learn", *words])
        return (code, *capsys.readouterr())

    return call


@pytest.mark.slow
def test_a_lesson_from_first_look_to_finished(learn: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    code, out, _ = learn()
    assert code == 0
    assert "1 of 2 lessons are written, 0 finished by you" in out.replace("\n", " ")
    assert "next: danlu learn open 07" in out
    assert learn("open", "07")[0] == 0
    assert (tmp_path / "07_doubling" / "lesson.ipynb").is_file()
    code, out, _ = learn("quiz", "7", typed="x\nb\n")
    assert code == 0
    assert "1 of 1" in out
    code, out, _ = learn("check", "07.1")
    assert code == 2
    assert "not written yet" in out
    (tmp_path / "07_doubling" / "exercise_1.py").write_text("def double(x):\n    return x * x\n", "utf-8")
    assert "That is x squared." in learn("check", "07.1")[1]
    (tmp_path / "mine.py").write_text("def double(x):\n    return x + x\n", "utf-8")
    assert learn("check", "07.1", "mine.py")[0] == 0
    code, out, _ = learn("run", "doubling")
    assert code == 0
    assert "SUPPORTED: Twice is more than once." in out
    code, out, _ = learn()
    assert "07 ✓" in out
    assert "You have finished every lesson that is written." in out


def test_reading_in_the_terminal(learn: Callable[..., tuple[int, str, str]]) -> None:
    assert "Some words." in learn("07")[1]
    assert "几句话。" in learn("07", "--lang", "zh")[1]
    assert "It is twice." not in learn("07")[1]  # the answer of the quiz


def test_the_wrong_choice_is_explained(learn: Callable[..., tuple[int, str, str]]) -> None:
    out = learn("quiz", "07", typed="a\n")[1]
    assert "It is 2.04." in out
    assert "It is b, more: It is twice." in out
    assert "0 of 1" in out


def test_powers_of_ten_in_the_terminal(learn: Callable[..., tuple[int, str, str]], folder: Path) -> None:
    edit(folder, "quiz.yaml", "twice.size:~.2f", "twice.size:~.1e")
    assert "It is 2.0 × 10⁰." in learn("quiz", "07", typed="a\n")[1]
    edit(folder, "text.en.md", "twice.size:.2f", "twice.size:~.1e")
    assert "It is 2.0 × 10⁰, exactly" in learn("07")[1]


def test_a_quiz_that_is_left_counts_for_nothing(learn: Callable[..., tuple[int, str, str]]) -> None:
    code, _, err = learn("quiz", "07", typed="")
    assert code == 2
    assert "left before its end" in err
    assert progress.of("07").quiz == []


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("doublin",), "did you mean `doubling`?"),
        (("opne", "07"), "did you mean `open`?"),
        (("open",), "needs the number of a lesson"),
        (("open", "99"), "no lesson is called `99`"),
        (("run", "07", "--seeds", "2"), "at least 5"),
        (("check", "07.9"), "this lesson has 07.1"),
        (("check", "07.1"), "danlu learn open 07"),
        (("check", "07.1", "nowhere.py"), "nowhere.py"),
    ],
)
def test_mistakes_are_answered(learn: Callable[..., tuple[int, str, str]], words: tuple[str, ...], named: str) -> None:
    code, _, err = learn(*words)
    assert code == 2
    assert named in err


@pytest.mark.slow
def test_an_author_records_stamps_and_verifies(learn: Callable[..., tuple[int, str, str]], folder: Path) -> None:
    assert learn("verify")[0] == 0
    edit(folder, "lesson.py", "FACTOR = 2", "FACTOR = 3")
    edit(folder, "text.en.md", "Some words.", "Some other words.")
    code, out, _ = learn("lint", "07")
    assert code == 2
    assert "have changed since" in out
    assert "stamp 07" in out
    assert learn("stamp", "07")[0] == 0
    assert learn("run", "07", "--record")[0] == 0
    assert json.loads((folder / "results.json").read_text("utf-8"))["values"]["twice.size"]["values"][0] == 3
    assert not (folder / "cost.json").exists()
    assert learn("verify", "07")[:2] == (0, "07  holds\n")


def test_damaged_progress_is_no_progress(learn: Callable[..., tuple[int, str, str]]) -> None:
    progress.ran("07")
    assert progress.of("07").ran
    progress.file().write_text("{not json", "utf-8")
    assert learn()[0] == 0
    assert progress.of("07") == progress.Done()
