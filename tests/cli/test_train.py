"""`danlu train` and `danlu resume`: what is printed where, what comes back, and being stopped."""

from __future__ import annotations

import json
import os
import pkgutil
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from danlu import errors


def test_train_prints_the_result_and_tells_of_the_way(danlu, recipe: Path, tmp_path: Path) -> None:
    answer = danlu("train", str(recipe))
    assert answer.code == 0
    folder = re.search(r"runs/small-[\d-]+-1", answer.out)[0]
    assert (tmp_path / folder / "metrics.jsonl").is_file()
    for word in ("test_accuracy", "best", "step 12", "report.html", "danlu plot"):
        assert word in answer.out
    assert re.search(r"step 12/12 .* loss .* left 0:00", answer.err)
    assert "\x1b" not in answer.out + answer.err
    assert danlu("train", str(recipe), "--no-check").out.count("-2") > 0


def test_json_is_one_object_and_nothing_else(danlu, recipe: Path, tmp_path: Path) -> None:
    answer = danlu("train", str(recipe), "--out", "here", "--no-check", "--json", "--lang", "zh")
    found = json.loads(answer.out)
    assert answer.out.count("\n") == 1
    assert found["run"] == "here"
    assert found["step"] == 12
    assert 0 <= found["test"]["test_accuracy"] <= 1
    assert set(found["best"]) == {"val_loss", "val_accuracy"}


def test_quiet(danlu, recipe: Path) -> None:
    answer = danlu("train", str(recipe), "--no-check", "--quiet", "--json")
    assert answer.err == ""
    json.loads(answer.out)


def test_the_same_command_goes_on_and_another_recipe_is_refused(danlu, recipe: Path, tmp_path: Path) -> None:
    first = json.loads(danlu("train", str(recipe), "--no-check", "--out", "here", "--json").out)
    before = (tmp_path / "here" / "metrics.jsonl").read_bytes()
    again = danlu("train", str(recipe), "--no-check", "--out", "here", "--json")
    assert json.loads(again.out) == first
    assert "step 12" in again.err
    assert json.loads(danlu("resume", "here", "--json").out) == first
    other = danlu("train", str(recipe), "steps=13", "--out", "here")
    assert other.code == errors.BAD_INPUT
    assert "steps: 12" in other.err
    assert (tmp_path / "here" / "metrics.jsonl").read_bytes() == before


def test_resume_wants_a_run(danlu, tmp_path: Path) -> None:
    answer = danlu("resume", str(tmp_path))
    assert answer.code == errors.BAD_INPUT
    assert "recipe.json" in answer.last


@pytest.mark.parametrize(
    "words, place", [("train small.yaml --out here", "danlu.cli.train.asked"), ("resume here", "danlu.describe.forms.from_data")]
)
def test_what_comes_before_the_training_takes_from_the_limit(danlu, recipe: Path, monkeypatch, words: str, place: str) -> None:
    """An hour and a half of imports leave nothing of an hour, but for the step that is saved."""
    assert danlu("train", "small.yaml", "--no-check", "--out", "here", "--limit", "0s").code == errors.SAVED_RUN_AGAIN
    clock, before = time.monotonic, pkgutil.resolve_name(place)

    def slow(*args: Any) -> Any:
        monkeypatch.setattr("time.monotonic", lambda: clock() + 5400)
        return before(*args)

    monkeypatch.setattr(place, slow)
    answer = danlu(*words.split(), "--limit", "1h")
    assert answer.code == errors.SAVED_RUN_AGAIN
    assert "stopped after step 2 of 12" in answer.last


@pytest.mark.skipif(os.name == "nt", reason="signals as a shell sends them")
def test_ctrl_c_saves_and_says_so(recipe: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "danlu", "train", str(recipe), "steps=1000000", "--no-check", "--out", "here"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=tmp_path, env=os.environ | {"DANLU_LANG": "en"}, **pipes)
    log = tmp_path / "here" / "metrics.jsonl"
    deadline = time.monotonic() + 60
    while not (log.exists() and log.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == errors.SAVED_RUN_AGAIN
    assert "Traceback" not in err
    assert "danlu resume here" in err.strip().splitlines()[-1]
    assert (tmp_path / "here" / "checkpoints" / "latest").is_file()
