"""All rows of a recipe's data together, to be cut anew for each fold.

Own tables, texts and images are built again for every fold, through their own description and the split that it is given: medians,
categories, vocabularies and means are settled on the rows that the fold trains on, and on no others.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import torch

from danlu import build, messages
from danlu.core import Recipe
from danlu.data import table_split
from danlu.data.classify_text import ClassifyText
from danlu.data.image_files import found_images
from danlu.data.image_folder import ImageFolder
from danlu.data.image_pixels import all_of, look_at
from danlu.data.images import Images, channel_statistics
from danlu.data.read_table import Columns, read_table
from danlu.data.source import Data, Tensors
from danlu.data.table_kinds import missing
from danlu.data.table_scan import times_of
from danlu.data.table_split import PARTS
from danlu.data.tabular import Tabular
from danlu.errors import Refused

SPLIT = "danlu fold"  # the column that tells a table's rows their part


@dataclass(frozen=True)
class Pool:
    """hashes, classes, groups, times: see `folds`. cut(parts): within it, what a recipe takes as `data`, with these parts."""

    hashes: np.ndarray
    classes: np.ndarray | None
    groups: np.ndarray | None
    times: np.ndarray | None
    cut: Callable[[np.ndarray], AbstractContextManager[Any]]


def pool_of(recipe: Recipe) -> Pool:
    """Raises Refused for data that are no rows (text that a language model goes through), BadInput for what the data refuse."""
    if isinstance(recipe.data, Tabular | ClassifyText):
        return _table(recipe)
    if isinstance(recipe.data, ImageFolder):
        return _images(recipe)
    return _rows(build.data(recipe))


def _codes(values: list[str]) -> np.ndarray:
    return np.unique(np.array(values), return_inverse=True)[1]


def _table(recipe: Recipe) -> Pool:
    asked: Tabular | ClassifyText = recipe.data
    facts = build.data(recipe).facts  # refuses what training would refuse, and settles the task
    files = [path for path in (asked.path, asked.val_path, asked.test_path) if path]
    read = [read_table(path) for path in files]
    names = [name for name in read[0] if all(name in columns for columns in read)]
    columns: Columns = {name: [value for table in read for value in table[name]] for name in names}
    text = getattr(asked, "text", "")
    there = [row for row, value in enumerate(columns[asked.target]) if not missing(value) and (not text or columns[text][row])]
    columns = {name: [values[row] for row in there] for name, values in columns.items()}
    ignored = (*getattr(asked, "ignore", ()), *([asked.split] if asked.split else []))
    hashed = [text] if text else [name for name in names if name not in {asked.target, *ignored}] or [asked.target]
    time = getattr(asked, "time", "")
    groups = table_split.row_hashes({"group": columns[asked.group]}, ["group"]) if asked.group else None

    @contextmanager
    def cut(parts: np.ndarray) -> Iterator[Any]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                rows = csv.writer(file)
                rows.writerow([*names, SPLIT])
                for row in np.flatnonzero(parts >= 0):
                    rows.writerow([*(columns[name][row] for name in names), PARTS[parts[row]]])
            changes: dict[str, Any] = {"path": str(path), "val_path": "", "test_path": "", "split": SPLIT}
            changes |= {"ignore": ignored} if isinstance(asked, Tabular) else {}
            yield replace(asked, **changes)

    return Pool(
        table_split.row_hashes(columns, hashed),
        _codes(columns[asked.target]) if facts.task == "classify" else None,
        groups,
        times_of(time, columns[time]) if time else None,
        cut,
    )


def _images(recipe: Recipe) -> Pool:
    asked: ImageFolder = recipe.data
    build.data(recipe)
    files = found_images(asked.path, asked.val_path, asked.test_path).files
    hashes = np.array([look.hash for look in all_of([file.path for file in files], look_at)], np.uint64)

    @contextmanager
    def cut(parts: np.ndarray) -> Iterator[Any]:
        with tempfile.TemporaryDirectory() as folder:
            for row in np.flatnonzero(parts >= 0):
                link = Path(folder) / PARTS[parts[row]] / files[row].label / f"{row}{files[row].path.suffix}"
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(files[row].path.resolve())
            yield replace(asked, path=folder, val_path="", test_path="")

    return Pool(hashes, _codes([file.label for file in files]), None, None, cut)


def _rows(data: Data) -> Pool:
    """Rows in memory, cut by number; images are standardised anew."""
    splits = [rows for rows in (data.train, data.val, data.test) if rows is not None]
    if not all(isinstance(rows, Tensors | Images) for rows in splits):
        raise Refused(messages.FOLDS_NO_ROWS, found=type(data.train).__name__)
    inputs, targets = zip(*(rows.content() for rows in splits))  # type: ignore[attr-defined]
    x, y = _joined(inputs), _joined(targets)

    @contextmanager
    def cut(parts: np.ndarray) -> Iterator[Any]:
        own = {part: torch.from_numpy(np.flatnonzero(parts == place)) for place, part in enumerate(PARTS)}
        made: dict[str, Any] = {part: _part(data.train, _taken(x, ids), _taken(y, ids)) if len(ids) else None for part, ids in own.items()}
        if isinstance(data.train, Images):
            mean, std = channel_statistics(made["train"].images)
            made = {part: rows and replace(rows, mean=mean, std=std, augment="none") for part, rows in made.items()}
            made["train"] = replace(made["train"], augment=data.train.augment)
        counts = tuple(torch.bincount(made["train"].targets, minlength=data.facts.outputs).tolist()) if data.facts.class_counts else ()
        facts = replace(data.facts, rows=len(own["train"]), class_counts=counts)
        yield replace(data, **made, facts=facts)

    classes = y.numpy() if data.facts.task == "classify" and isinstance(y, torch.Tensor) and y.dim() == 1 else None
    return Pool(_hashes(x), classes, None, None, cut)


def _part(like: Any, inputs: Any, targets: Any) -> Any:
    return replace(like, images=inputs, targets=targets) if isinstance(like, Images) else Tensors(inputs, targets, like.workers)


def _joined(trees: Any) -> Any:
    if isinstance(trees[0], dict):
        return {key: torch.cat([tree[key] for tree in trees]) for key in trees[0]}
    return torch.cat(trees)


def _taken(tree: Any, ids: torch.Tensor) -> Any:
    return {key: value[ids] for key, value in tree.items()} if isinstance(tree, dict) else tree[ids]


def _hashes(tree: Any) -> np.ndarray:
    """uint64 [rows] of what each row holds."""
    leaves = [leaf.contiguous().numpy() for leaf in (tree.values() if isinstance(tree, dict) else [tree])]
    rows = (b"".join(leaf[row].tobytes() for leaf in leaves) for row in range(len(leaves[0])))
    return np.array([int.from_bytes(blake2b(row, digest_size=8).digest(), "little") for row in rows], np.uint64)
