"""A batch, and what a model returned for it, cut by rows."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from danlu.core import Batch


def splits(rows: int) -> tuple[Tensor, Tensor, Tensor]:
    """Row numbers of a whole and of two parts of it of unequal size; rows are repeated if there are fewer than three."""
    ids = torch.arange(max(rows, 3)) % rows
    cut = len(ids) // 3
    return ids, ids[:cut], ids[cut:]


def parts(batch: Batch) -> tuple[Batch, Batch, Batch]:
    """The batch and its two parts."""
    whole, left, right = (taken(batch, ids) for ids in splits(len(batch.ids)))
    return whole, left, right


def taken(batch: Batch, ids: Tensor) -> Batch:
    """The rows `ids` of a batch; its counts are those of no batch and are left out."""
    rows = len(batch.ids)
    own = batch.ids[ids.to(batch.ids.device)]
    return replace(batch, inputs=take(batch.inputs, ids, rows), targets=take(batch.targets, ids, rows), ids=own, counts={})


def take(tree: Any, ids: Tensor, rows: int) -> Any:
    """The rows `ids` of every tensor in `tree` that has rows first; anything else is left as it is."""
    return mapped(lambda x: x[ids.to(x.device)] if x.ndim and x.shape[0] == rows else x, tree)


def mapped(fn: Callable[[Tensor], Tensor], tree: Any) -> Any:
    """`fn` of every tensor in dicts, tuples, lists and plain objects."""
    if isinstance(tree, Tensor):
        return fn(tree)
    if isinstance(tree, Mapping):
        parts = {key: mapped(fn, value) for key, value in tree.items()}
        return parts if type(tree) is dict else type(tree)(**parts)
    if isinstance(tree, tuple | list):
        items = [mapped(fn, value) for value in tree]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    if hasattr(tree, "__dict__") and any(isinstance(value, Tensor) for value in vars(tree).values()):
        other = copy.copy(tree)
        other.__dict__.update({key: mapped(fn, value) for key, value in vars(tree).items()})
        return other
    return tree
