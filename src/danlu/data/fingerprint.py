"""A digest of what the rows hold, so that a run can say which data it saw."""

from __future__ import annotations

import hashlib
from typing import Any

import torch
from torch import Tensor

SAMPLE = 64  # rows fetched from a source that cannot show its whole content


def fingerprint(*splits: Any) -> str:
    """SHA-256, in hexadecimal, over names, types, shapes and bytes of all that the splits store; None stands for a split that is not there.

    Of rows without `content()` the number and 64 of them, evenly spread, are digested.
    """
    hashed = hashlib.sha256()
    for rows in splits:
        if rows is None:
            hashed.update(b"none;")
        elif hasattr(rows, "content"):
            _update(hashed, rows.content())
        else:
            hashed.update(f"{len(rows)} rows;".encode())
            if len(rows):
                _update(hashed, rows.fetch(spread(len(rows), SAMPLE), 0))
    return hashed.hexdigest()


def spread(rows: int, number: int) -> Tensor:
    """At most `number` row numbers from the first to the last, evenly spread: [n] int64."""
    return torch.linspace(0, rows - 1, min(rows, number), dtype=torch.float64).round().long()


def _update(hashed: Any, tree: Any) -> None:
    if isinstance(tree, dict):
        for key in sorted(tree):
            hashed.update(f"{key}:".encode())
            _update(hashed, tree[key])
    elif isinstance(tree, tuple | list):
        for part in tree:
            _update(hashed, part)
    else:
        hashed.update(f"{tree.dtype} {tuple(tree.shape)};".encode())
        flat = tree.detach().cpu().contiguous().reshape(-1)
        hashed.update(memoryview(flat.view(torch.uint8).numpy()))  # bytes, since numpy lacks some of torch's types
