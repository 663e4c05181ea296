"""Splits that never move: which row is in which part depends on its number alone, on no seed and no generator."""

from __future__ import annotations

import torch
from torch import Tensor

from danlu.keys import uniform


def cut(rows: int, *shares: float, classes: Tensor | None = None) -> tuple[Tensor, ...]:
    """Row numbers [part rows] int64, ascending, as (the rest, one part for each share).

    Rows are put in the order of a hash of their number; the first share of them is the first part, and so on.
    classes: [rows] int64; with it every class is cut on its own, so that each part has the classes in the same proportion.
    """
    order = torch.argsort(uniform(torch.arange(rows), "split"), stable=True)
    groups = [order] if classes is None else [order[classes[order] == label] for label in classes.unique()]
    parts: list[list[Tensor]] = [[] for _ in range(len(shares) + 1)]
    for group in groups:
        start = 0
        for part, share in enumerate(shares, start=1):
            stop = start + round(share * len(group))
            parts[part].append(group[start:stop])
            start = stop
        parts[0].append(group[start:])
    return tuple(torch.cat(part).sort().values for part in parts)
