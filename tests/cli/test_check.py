"""`danlu check`, and `danlu train` with the check before it: what is printed, what is refused, and that nothing else changes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from danlu import errors
from danlu.check import CHECKS


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


FAULTY = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, num_features, num_classes):
        super().__init__()
        self.body, self.dropped, self.head = nn.Linear(num_features, 16), nn.Dropout(0.2), nn.Linear(16, num_classes)

    def forward(self, x):
        return self.head(self.dropped(self.body(x).tanh(){cut}))
"""


@pytest.fixture
def faulty(tmp_path: Path, recipe: Path) -> Path:
    """A recipe whose model is cut in two by a detach."""
    (tmp_path / "net.py").write_text(FAULTY.format(cut=".detach()"), "utf-8")
    recipe.write_text(recipe.read_text("utf-8").replace("{mlp: {hidden: [8]}}", "net.py:Net"), "utf-8")
    return recipe


def test_the_page_in_both_languages_and_as_data(danlu, tmp_path: Path) -> None:
    english = danlu("check", "digits")
    assert english.code == 0
    assert re.findall(r"^(ok|note|FAILED) ", english.out, re.MULTILINE) == ["ok"] * len(CHECKS)
    assert re.search(r"9 ok, 0 to note, 0 failed, in [\d.]+ s$", english.out.strip())
    assert "\x1b" not in english.out
    chinese = danlu("check", "digits", "--lang", "zh")
    assert chinese.out.count("通过") == len(CHECKS) + 1
    assert "（取自 " in chinese.out
    assert not re.search("[a-z]{4,} [a-z]{2,} [a-z]{4,}", chinese.out)
    found = json.loads(danlu("check", "digits", "--json").out)
    assert found["verdict"] == "ok"
    assert found["kept"] is True
    assert [line["check"] for line in found["lines"]] == list(CHECKS)
    said = " ".join(english.out.split())
    assert all(" ".join(line["says"].split()) in said for line in found["lines"])
    assert found["lines"][2]["figures"]["error"] <= found["lines"][2]["figures"]["bound"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache"]


def test_changes_on_the_line_and_again(danlu, recipe: Path) -> None:
    first = json.loads(danlu("check", str(recipe), "--with", "ema(decay=0.5)", "--json").out)
    assert "ema(decay=0.5)" in first["lines"][6]["says"]
    again = json.loads(danlu("check", str(recipe), "--with", "ema(decay=0.5)", "--again", "--json").out)
    assert not again["kept"]
    assert again["digest"] == first["digest"]
    other = json.loads(danlu("check", str(recipe), "optimizer.lr=1e-9", "--json").out)
    assert other["verdict"] == "failed"
    assert other["digest"] != first["digest"]


def test_a_failed_line_refuses_and_no_check_goes_on(danlu, faulty: Path, tmp_path: Path) -> None:
    page = danlu("check", str(faulty))
    assert page.code == errors.REFUSED
    assert "FAILED" in page.out
    answer = danlu("train", str(faulty), "--out", "here")
    assert answer.code == errors.REFUSED
    assert "body.weight, body.bias" in answer.err
    assert "--no-check" in answer.last
    assert not (tmp_path / "here").exists()
    assert "请修改配方" in danlu("train", str(faulty), "--out", "here", "--lang", "zh").err
    assert danlu("train", str(faulty), "--out", "here", "--no-check", "--quiet").code == 0
    (tmp_path / "net.py").write_text(FAULTY.format(cut=""), "utf-8")  # other code, another certificate
    assert danlu("check", str(faulty)).code == 0


def test_train_after_a_check_gives_the_same_bits(danlu, faulty: Path, tmp_path: Path) -> None:
    """With torch's own dropout, which draws from the global generator, EMA and clipping."""
    (tmp_path / "net.py").write_text(FAULTY.format(cut=""), "utf-8")
    more = ("--with", "ema(decay=0.9)", "--with", "clip(max_norm=0.1)", "steps=30")
    for out, flags in (("plain", ["--no-check"]), ("checked", []), ("kept", [])):
        assert danlu("train", str(faulty), *more, "--out", out, "--quiet", *flags).code == 0
    weights = [(tmp_path / out / "model.safetensors").read_bytes() for out in ("plain", "checked", "kept")]
    assert weights[0] == weights[1] == weights[2]
    lines = [
        [{k: v for k, v in json.loads(line).items() if "second" not in k} for line in (tmp_path / out / "metrics.jsonl").open()]
        for out in ("plain", "checked", "kept")
    ]
    assert lines[0] == lines[1] == lines[2]
    records = [json.loads((tmp_path / out / "record.json").read_text("utf-8"))["attempts"] for out in ("plain", "checked", "kept")]
    assert "check" not in records[0][0]
    assert records[1][0]["check"]["verdict"] == "ok"
    assert records[1][0]["check"] == records[2][0]["check"]
    assert danlu("resume", "checked").code == 0
    assert len(json.loads((tmp_path / "checked" / "record.json").read_text("utf-8"))["attempts"]) == 1


def test_notes_are_told_and_do_not_refuse(danlu, recipe: Path, tmp_path: Path) -> None:
    answer = danlu("train", str(recipe), "--out", "here", "--with", "clip(max_norm=1e6)")
    assert answer.code == 0
    assert "check: techniques: clip(max_norm=1" in answer.err
    found = json.loads((tmp_path / "here" / "record.json").read_text("utf-8"))["attempts"][0]["check"]
    assert found["verdict"] == "note"
    assert found["note"] == ["techniques"]
    assert "checked: all 9 lines are ok" in danlu("train", str(recipe), "--out", "there").err
