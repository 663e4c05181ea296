"""`danlu plot` and `danlu report`: pictures of runs, and of a recipe's learning rate."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def run(danlu, recipe: Path) -> str:
    assert danlu("train", str(recipe), "--no-check", "--out", "here", "--quiet").code == 0
    return "here"


def test_pictures(danlu, run: str, tmp_path: Path) -> None:
    for name, magic in (("a.png", b"\x89PNG"), ("a.svg", b"<?xml")):
        answer = danlu("plot", run, run, "--metric", "val_loss", "--out", name)
        assert answer.code == 0, answer.err
        assert name in answer.out
        assert (tmp_path / name).read_bytes().startswith(magic)


def test_the_terminal(danlu, run: str) -> None:
    answer = danlu("plot", run, "--terminal")
    assert answer.code == 0, answer.err
    assert "val_accuracy" in answer.out
    assert any("\u2800" < letter <= "\u28ff" for letter in answer.out)
    assert "\x1b" not in answer.out
    assert danlu("plot", run).out == answer.out


def test_schedule(danlu, recipe: Path, tmp_path: Path) -> None:
    answer = danlu("plot", "--schedule", str(recipe), "optimizer.lr=0.5", "schedule.warmup=4")
    assert answer.code == 0, answer.err
    assert "Learning rate" in answer.out
    assert "small" in answer.out
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "needs RUN"),
        (["nowhere"], "nowhere"),
        (["here", "--metric", "val_los"], "val_los"),
        (["here", "--out", "a.pdf"], ".png"),
        (["here", "--with", "ema"], "--with"),
        (["--schedule", "small.yaml", "--metric", "lr"], "--metric"),
    ],
)
def test_wrong_lines(danlu, run: str, arguments: list[str], said: str) -> None:
    answer = danlu("plot", *arguments)
    assert answer.code == 2
    assert said in answer.last


def test_report(danlu, run: str, tmp_path: Path) -> None:
    page = tmp_path / "here" / "report.html"
    page.unlink()
    answer = danlu("report", run)
    assert answer.code == 0, answer.err
    assert "report.html" in answer.out
    assert page.read_text("utf-8").lstrip().lower().startswith("<!doctype html>")
    assert danlu("report", "nowhere").code == 2
