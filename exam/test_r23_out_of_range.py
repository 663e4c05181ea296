"""R23: a label or a token id that is out of range is refused with its row and value before the first backward pass sees it.

Rows in memory are checked whole before the first step. Rows that a user's class fetches are checked as they are fetched: a bad one is named
before the step that would take it, and the steps before it were as good as any.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exam.files import error, inside, unclear
from exam.harness import exam_only, settle

OWN = """
import torch
from danlu.data.source import Data, Facts, Tensors

ROWS = 1000


class Lazy:
    def __init__(self, x, y, workers):
        self.x, self.y, self.workers = x, y, workers

    def __len__(self):
        return ROWS

    def fetch(self, ids, draw):
        return self.x[ids], self.y[ids]


def rows(value=0, row=777, where="label", lazy=False, workers=0, split="train"):
    parts = {}
    for name in ("train", "val"):
        x, y = torch.arange(ROWS * 6).view(ROWS, 6) % 32, torch.arange(ROWS) % 4
        if where == "next":
            y = x.clone()
        if name == split:
            (y if where != "token" else x)[(row, 2) if where != "label" else row] = value
        parts[name] = Lazy(x, y, workers) if lazy else Tensors(x, y, workers)
    language = where == "next"
    facts = Facts("language" if language else "classify", (6,), 32 if language else 4, vocab=32)
    return Data(parts["train"], facts, parts["val"], fingerprint=f"{value} {row} {where}")
"""
MODEL = {"gpt": {"width": 16, "depth": 1, "heads": 2}}
LINEAR = "own.py:Bag"
BAG = """

class Bag(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.table = torch.nn.EmbeddingBag(32, 4)

    def forward(self, x):
        return self.table(x)
"""
VALUES = {"label": (-1, 4, 1 << 31, -(1 << 40)), "token": (-1, 32, 1 << 31, 50_000), "next": (-1, 32, 1 << 31)}


def attempt(here: Path, **options: object) -> tuple[str, float]:
    """What is wrong with how it was refused, and the loss steps that were taken before."""
    here.mkdir()
    (here / "own.py").write_text(OWN + BAG)
    model = MODEL if options["where"] == "next" else LINEAR
    recipe = {"model": model, "data": {"own.py:rows": options}, "optimizer": "adamw", "epochs": 1, "batch_size": 50, "validate": None}
    (here / "own.json").write_text(json.dumps(recipe))
    ended = inside("train", "own.json", "--out", "run", "--json", cwd=here)
    said = [f"row {options['row']}", str(options["value"])]
    wrong = unclear(ended, *said)
    if not wrong and error(ended).get("code") != 2:
        wrong = f"no JSON: {ended.text[-200:]}"
    if not wrong and not options["lazy"] and (here / "run").exists():
        wrong = "a run folder was made"
    return wrong, ended.seconds


def cases(full: bool) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for where, values in VALUES.items():
        for place, value in enumerate(values):
            found.append({"value": value, "row": (0, 777, 999)[place % 3], "where": where, "split": ("train", "val")[place % 2]})
            found.append({"value": value, "row": 777, "where": where, "lazy": True})
            if full:
                found.append({"value": value, "row": 777, "where": where, "lazy": True, "workers": 2})
    return [{"lazy": False, **case} for case in found]


def settled(tmp_path: Path, full: bool) -> None:
    failures, asked = [], cases(full)
    for number, case in enumerate(asked):
        wrong, _ = attempt(tmp_path / str(number), **case)
        if wrong:
            failures.append(f"{case}: {wrong}")
    settle("R23", len(asked), failures, lazily_fetched=sum(bool(case["lazy"]) for case in asked))


@pytest.mark.slow
def test_out_of_range(tmp_path: Path) -> None:
    settled(tmp_path, full=False)


@exam_only
@pytest.mark.slow
def test_out_of_range_with_workers(tmp_path: Path) -> None:
    settled(tmp_path, full=True)
