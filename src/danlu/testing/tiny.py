"""The laws' own recipe: a tiny classification, trained in one batch a step, or in two micro-batches a step."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from danlu.core import Recipe, Technique
from danlu.data.source import Data, Facts, Tensors
from danlu.nets.dropout import Dropout, named
from danlu.optim.first_order import SGD

STEPS = 6


def tiny_net() -> nn.Module:
    """6 -> 8 -> 3 with BatchNorm and torch's own dropout."""
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 3))


def tiny_split_net() -> nn.Module:
    """6 -> 8 -> 3 with LayerNorm and keyed dropout: nothing in it depends on how a batch is split."""
    return named(nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.Tanh(), Dropout(0.2), nn.Linear(8, 3)))


def tiny_data() -> Data:
    """40 rows of three classes to train on, 16 to validate on."""
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(56, 6, generator=generator)
    y = (x[:, :3] + 0.3 * torch.randn(56, 3, generator=generator)).argmax(1)
    facts = Facts("classify", (6,), 3, labels=("a", "b", "c"), class_counts=tuple(torch.bincount(y[:40], minlength=3).tolist()), rows=40)
    return Data(Tensors(x[:40], y[:40]), facts, val=Tensors(x[40:], y[40:]))


def tiny_parts(output: Tensor, target: Tensor) -> dict[str, Tensor]:
    """A loss of two parts that want different classes, for techniques whose `example_fields` ask for it."""
    other = target.roll(1, -1) if target.is_floating_point() else (target + 1) % 3
    return {"own": F.cross_entropy(output, target, reduction="sum"), "other": 0.5 * F.cross_entropy(output, other, reduction="sum")}


def tiny(technique: Technique | None = None, *, split: bool = False, **fields: Any) -> Recipe:
    """The laws' recipe, with one technique and what its `example_fields` change; `split` trains in two micro-batches a step."""
    base: dict[str, Any] = {
        "model": tiny_split_net if split else tiny_net,
        "data": tiny_data,
        "loss": "auto",
        "optimizer": SGD(lr=0.2, momentum=0.9),
        "techniques": () if technique is None else (technique,),
        "steps": STEPS,
        "batch_size": 8,
        "micro_batch_size": 4 if split else None,
        "seed": 1,
        "device": "cpu",
    }
    asked: dict[str, Any] = getattr(technique, "example_fields", dict)()
    return Recipe(**(base | asked | fields))
