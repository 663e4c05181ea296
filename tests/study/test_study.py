"""What the package says of itself runs as it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from danlu import study
from danlu.core import Recipe
from danlu.data.bundled import Digits
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD
from danlu.study.results import Results

CLAIMS = """
high_is_better:
  statement: {en: A rate of 0.3 beats 0.03., zh: 学习率 0.3 优于 0.03。}
  metric: val_accuracy
  a: lr_high
  b: lr_low
  relation: greater
  effect: 0.005
  regime: {en: "digits, 40 steps without momentum", zh: digits，40 步，无动量}
"""


def test_the_docstring_is_a_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lesson.py").write_text("# a lesson\n")
    Path("claims.yaml").write_text(CLAIMS, encoding="utf-8")
    recipe = Recipe(model=MLP(hidden=(16,)), data=Digits(), optimizer=SGD(momentum=0.0), steps=40, batch_size=64, device="cpu")
    lines = [line[4:] for line in (study.__doc__ or "").splitlines() if line.startswith("    ")]
    names: dict[str, Any] = {"recipe": recipe}
    exec("\n".join(lines), names)
    assert len(names["found"].members) == 15
    results = Results.read("results.json")
    assert results == names["results"]
    verdict = results.verdicts["high_is_better"]
    assert verdict.word == "SUPPORTED" and verdict.difference > 0.1
    assert results.value("lr_low.val_accuracy").seeds == (0, 1, 2, 3, 4)
