"""What is seen while a run goes on: a bar where there is a terminal, plain lines elsewhere, the loss read seldom."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from danlu.cli.progress import Bar, Lines, watcher
from danlu.errors import speak

RUN = SimpleNamespace(total=1000, plan=SimpleNamespace(rows=640, steps_per_epoch=20))


class Loss:
    """Counts how often it is read."""

    reads = 0

    def __float__(self) -> float:
        Loss.reads += 1
        return 0.25


def report(step: int, **metrics: float | None) -> SimpleNamespace:
    return SimpleNamespace(step=step, loss=Loss(), metrics=metrics, epoch=step / 20)


def test_the_bar_reads_the_loss_four_times_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("danlu.cli.progress.time", SimpleNamespace(monotonic=lambda: now))
    screen = io.StringIO()
    Loss.reads = 0
    speak("en")
    with Bar("small", Console(file=screen, force_terminal=True, width=140, legacy_windows=False)) as bar:
        for step in range(1, 1001):
            now += 0.01
            bar(report(step, **({"val_accuracy": 0.5, "test": 1.0} if step == 500 else {})), RUN)
        bar.tell("a [sentence]")
    speak(None)
    text = screen.getvalue()
    assert Loss.reads <= 10 / 0.25 + 2
    assert "1,000/1,000  loss 0.25  val_accuracy 0.5  100 steps/s  3,200 rows/s  left 0:00" in text
    assert "a [sentence]" in text


@pytest.mark.parametrize("settings", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_plain_lines_where_a_bar_is_not_wanted(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", screen)
    for name, value in ({"TERM": "xterm", "NO_COLOR": ""} | settings).items():
        monkeypatch.setenv(name, value)
    assert isinstance(watcher("small"), Lines)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "")
    assert isinstance(watcher("small"), Bar)


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_a_bar_in_a_real_terminal(recipe: Path, tmp_path: Path) -> None:
    """The whole program with standard error on a terminal and standard output in a file."""
    import pty
    import subprocess

    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "140", "DANLU_LANG": "zh", "NO_COLOR": ""}
    command = [sys.executable, "-m", "danlu", "train", str(recipe), "--no-check", "--json"]
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=out, stderr=theirs, env=environment)
    os.close(theirs)
    seen = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        seen += piece
    os.close(ours)
    assert process.wait() == 0
    assert "12/12" in seen.decode()
    assert "步/秒" in seen.decode()
    assert (tmp_path / "out").read_text("utf-8").startswith("{")
