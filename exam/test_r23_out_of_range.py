"""R23: labels and token ids out of range (-1, C, 2^31): refused before the first step, naming the split, the row and the value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from danlu.errors import BAD_INPUT
from exam.harness import run, settle

SOURCE = """
import torch
from dataclasses import dataclass
from danlu.data.source import Data, Facts, Tensors

@dataclass(frozen=True)
class Labels:
    value: int = 0
    split: str = "train"
    row: int = 0
    kind: str = "label"

    def __call__(self):
        if self.kind == "label":
            parts = {name: (torch.zeros(64, 3), torch.arange(64) % 4) for name in ("train", "val", "test")}
            facts = Facts("classify", (3,), 4, rows=64)
            parts[self.split][1][self.row] = self.value
        else:
            parts = {name: (torch.zeros(64, 8).long(), torch.zeros(64, 8).long()) for name in ("train", "val", "test")}
            facts = Facts("language", (8,), 32, vocab=32, rows=64)
            parts[self.split][0 if self.kind == "token" else 1][self.row, 5] = self.value
        return Data(Tensors(*parts["train"]), facts, Tensors(*parts["val"]), Tensors(*parts["test"]), fingerprint=repr(self))
"""
NET = {"label": {"mlp": {"hidden": [4]}}, "token": {"gpt": {"width": 16, "depth": 1, "heads": 2}}}
NET["target"] = NET["token"]


@pytest.mark.slow
def test_out_of_range(tmp_path: Path) -> None:
    (tmp_path / "rows.py").write_text(SOURCE)
    failures, n = [], 0
    for kind, most in (("label", 4), ("token", 32), ("target", 32)):
        for value in (-1, most, 2**31):
            for split, row in (("train", 0), ("train", 63), ("val", 17), ("test", 5)):
                n += 1
                data = {"rows.py:Labels": {"value": value, "split": split, "row": row, "kind": kind}}
                (tmp_path / "r.yaml").write_text(json.dumps({"model": NET[kind], "data": data, "steps": 2, "batch_size": 16}))
                ended = run("train", "r.yaml", "--out", "run", "--quiet", cwd=tmp_path)
                named = split in ended.last and f"row {row}" in ended.last and str(value) in ended.last
                if ended.code != BAD_INPUT or not named or (tmp_path / "run").exists():
                    failures.append(f"{kind} {value} in {split} row {row}: exit code {ended.code}: {ended.last}")
    settle("R23", n, failures)
