"""`danlu init`, `danlu explain` and `danlu schema`: what they print reads back, and fits together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from danlu.describe.recipe_file import load_recipe


def test_explain_yaml_is_the_resolved_recipe(danlu, recipe: Path, tmp_path: Path) -> None:
    answer = danlu("explain", str(recipe), "optimizer.lr=0.5", "--with", "ema(decay=0.9)", "--yaml")
    (tmp_path / "resolved.yaml").write_text(answer.out, "utf-8")
    again = danlu("explain", "resolved.yaml", "--yaml")
    assert answer.code == again.code == 0
    assert again.out == answer.out
    resolved = load_recipe("resolved.yaml")
    assert resolved.optimizer.lr == 0.5
    assert resolved.techniques[0].decay == 0.9
    assert resolved.steps == 12


@pytest.mark.parametrize("language", ["en", "zh"])
def test_init_is_the_same_recipe_with_comments(danlu, recipe: Path, tmp_path: Path, language: str) -> None:
    answer = danlu("init", str(recipe), "--lang", language)
    (tmp_path / "mine.yaml").write_text(answer.out, "utf-8")
    assert load_recipe("mine.yaml") == load_recipe(str(recipe))
    assert answer.out.startswith("#")


def test_init_writes_over_nothing(danlu, recipe: Path, tmp_path: Path) -> None:
    assert danlu("init", str(recipe), "--out", "mine.yaml").code == 0
    assert load_recipe("mine.yaml") == load_recipe(str(recipe))
    before = (tmp_path / "mine.yaml").read_bytes()
    again = danlu("init", str(recipe), "steps=99", "--out", "mine.yaml")
    assert again.code == 2
    assert "mine.yaml" in again.last
    assert (tmp_path / "mine.yaml").read_bytes() == before
    assert danlu("init", str(recipe), "--out", "no/such/mine.yaml").code == 2


def test_schema_accepts_what_init_prints(danlu, recipe: Path, tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    from danlu.describe.recipe_file import read

    (tmp_path / "mine.yaml").write_text(danlu("init", str(recipe)).out, "utf-8")
    jsonschema.validate(read("mine.yaml")[0], json.loads(danlu("schema").out))


def test_explain_in_a_terminal_and_as_json(danlu, recipe: Path) -> None:
    answer = danlu("explain", str(recipe), "--with", "sam")
    labels = [line.split()[0] for line in answer.out.splitlines() if line[:1].isalpha()]
    assert labels[:7] == ["model", "stream", "objective", "gradient", "update", "reports", "placement"]
    facts = json.loads(danlu("explain", str(recipe), "--with", "sam", "--json", "--lang", "zh").out)
    assert facts["gradient"]["techniques"] == ["sam"]
    assert facts["model"]["parameters"] == 13 * 8 + 8 + 8 * 3 + 3
    assert "model" in facts
    assert danlu("explain", str(recipe), "--json", "--yaml").code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["digitz"], "`digits`"),
        (["small.yaml", "optimizer.lrr=1"], "`lr`"),
        (["small.yaml", "optimizer.lr=fast"], "optimizer.lr"),
        (["small.yaml", "--without", "sam"], "sam"),
        (["small.yaml", "--with", "mixupp"], "`mixup`"),
        (["none.yaml"], "none.yaml"),
        (["small.yaml", "batch_size=10000"], "10000"),
    ],
)
def test_a_wrong_recipe_is_a_sentence(danlu, recipe: Path, arguments: list[str], said: str) -> None:
    answer = danlu("explain", *arguments)
    assert answer.code == 2
    assert said in answer.last
    assert answer.out == ""


def test_quotes_that_cmd_hands_on(danlu, recipe: Path) -> None:
    plain = danlu("explain", str(recipe), "--with", "mixup(alpha=0.3)", "optimizer.lr=0.2", "--yaml").out
    assert danlu("explain", str(recipe), "--with", "'mixup(alpha=0.3)'", "'optimizer.lr=0.2'", "--yaml").out == plain
