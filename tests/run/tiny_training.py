"""A tiny training that the tests of the run folder share: rows of numbers in memory, a net with dropout and BatchNorm, an average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from danlu.core import Recipe
from danlu.data.source import Data, Facts, Tensors
from danlu.optim.first_order import AdamW
from danlu.techniques.reports.checkpoint import Checkpoint
from danlu.techniques.reports.validate import Validate
from danlu.techniques.update.ema import EMA


@dataclass(frozen=True)
class Rows:
    """96 + 32 + 32 rows of eight numbers in three classes. poison: a row of the training data that is NaN; -1 for none."""

    poison: int = -1
    version: ClassVar = "1"  # of the content, so that a test can change it behind the recipe's back

    def __call__(self) -> Data:
        draw = torch.Generator().manual_seed(0)
        x = torch.randn(160, 8, generator=draw)
        y = (x @ torch.randn(8, 3, generator=draw)).argmax(1)
        if self.poison >= 0:
            x[self.poison] = torch.nan
        parts = [Tensors(x[a:b], y[a:b]) for a, b in ((0, 96), (96, 128), (128, 160))]
        return Data(*parts[:1], Facts("classify", (8,), 3, rows=96), *parts[1:], fingerprint=f"rows {self.version}")


class Net(torch.nn.Sequential):
    def __init__(self) -> None:
        norm, drop = torch.nn.BatchNorm1d(16), torch.nn.Dropout(0.2)
        super().__init__(torch.nn.Linear(8, 16), norm, torch.nn.ReLU(), drop, torch.nn.Linear(16, 3))


def recipe(epochs: float = 3, every: int = 4, poison: int = -1, **fields) -> Recipe:
    made = {
        "optimizer": AdamW(lr=0.01),
        "techniques": (Checkpoint(every=every), EMA(decay=0.9)),
        "validate": Validate(every=5),
        "batch_size": 16,
        **fields,
    }
    return Recipe(model=Net, data=Rows(poison), epochs=epochs, **made)
