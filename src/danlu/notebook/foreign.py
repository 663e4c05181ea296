"""Whatever a person has at hand — loaders, data sets of torch and Hugging Face, DataFrames, arrays — as a `Data`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from danlu import build, messages
from danlu.core import Recipe
from danlu.data.adapt import dataset
from danlu.data.images import Images
from danlu.data.source import Data, Facts
from danlu.errors import BadInput
from danlu.keys import mix
from danlu.losses.returned import returned_loss
from danlu.notebook.batches import Reader
from danlu.notebook.loader import Held, Loader, cut, undrawn

LOOKED = 64  # rows of a data set that facts are taken from


class Items:
    """A map-style data set as rows: what `dataset[i]` gives, collated; torch's random numbers in it are drawn by (draw, first row)."""

    def __init__(self, items: Any, read: Reader):
        self.items, self.read = items, read

    def __len__(self) -> int:
        return len(self.items)

    def fetch(self, ids: Tensor, draw: int) -> tuple[Any, Any]:
        from torch.utils.data import default_collate

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(mix(draw, "items", int(ids[0])) & 0x7FFFFFFF)
            rows = [self.items[int(i)] for i in ids]
        if isinstance(rows[0], dict):  # a column of words is none that a model takes
            rows = [{key: value for key, value in row.items() if not isinstance(value, str | bytes)} for row in rows]
        return self.read(default_collate(rows))


def data_of(
    recipe: Recipe, train: Any, val: Any = None, test: Any = None, *, target: str | None = None, steps: int | None = None
) -> tuple[Data, bool]:
    """A `Data` of what is given for each split, and whether the usual metrics of its task are right for it.

    A `Data` or a description of one (train alone). (x, y) of arrays or tensors, or a DataFrame with `target` as one of its columns, or
    (DataFrame, Series): in memory, as `Recipe.data` takes arrays. A data set of torch (with `__getitem__`) or of Hugging Face: fetched
    by number, in danlu's order. Any other iterable that can be gone through again, a DataLoader foremost: its batches, in its order.
    steps: batches of a pass for a loader that does not say. Raises BadInput for what is none of these.
    """
    if train is None:
        raise BadInput(messages.FIT_NO_DATA)
    splits = {"train": train, "val": val, "test": test}
    given = {name: split for name, split in splits.items() if split is not None}
    if all(_in_memory(split) for split in given.values()):
        if len({tuple(columns_of(split, target)) for split in given.values()}) > 1:
            raise BadInput(messages.FRAME_DIFFER, columns="; ".join(", ".join(columns_of(split, target)) for split in given.values()))
        return _of_arrays({name: _pair(split, target) for name, split in given.items()}, columns_of(train, target)), not _of_probabilities(
            recipe.loss
        )
    if isinstance(train, Data) or (callable(train) and not isinstance(train, Iterable)):
        if len(given) > 1 or target is not None:
            raise BadInput(messages.FIT_DATA_WHOLE)
        return build.data(recipe), True
    if not isinstance(recipe.model, nn.Module):
        raise BadInput(messages.FIT_LIVE_MODEL)
    reader = Reader.of(recipe.model, target)
    rows = {name: _rows(name, split, reader, steps if name == "train" else None) for name, split in given.items()}
    if isinstance(rows["train"], Loader):
        first = rows["train"].first
    else:
        with undrawn():
            first = rows["train"].fetch(torch.arange(min(LOOKED, len(rows["train"]))), 0)
    facts, usual = _facts(recipe, *first, len(rows["train"]))
    return Data(**rows, facts=facts, preprocess={"kind": "arrays"}), usual


def _in_memory(split: Any) -> bool:
    return _frame(split) or (isinstance(split, tuple) and len(split) == 2 and all(is_array(part) for part in split))


def _frame(thing: Any) -> bool:
    return hasattr(thing, "columns") and hasattr(thing, "iloc")


def is_array(thing: Any) -> bool:
    """A tensor, or what numpy can make an array of: a DataFrame or a Series too."""
    return isinstance(thing, Tensor) or (hasattr(thing, "__array__") and hasattr(thing, "shape"))


def _pair(split: Any, target: str | None) -> tuple[Tensor, Tensor]:
    if _frame(split):
        if target is None or target not in split.columns:
            raise BadInput(messages.FRAME_TARGET, found=target, columns=", ".join(map(str, split.columns)))
        split = split.drop(columns=[target]), split[target]
    elif target is not None:
        raise BadInput(messages.BATCH_TARGET, target=target, found="(x, y)")
    x, y = (_numbers(part) for part in split)
    return x, y


def _numbers(part: Any) -> Tensor:
    """An array or a frame as a tensor. Raises BadInput by the names of columns that are no numbers."""
    if isinstance(part, Tensor):
        return part
    if _frame(part):
        if words := [str(name) for name in part.columns if part[name].dtype.kind not in "biuf"]:
            raise BadInput(messages.FRAME_COLUMNS, columns=", ".join(words))
        return torch.from_numpy(part.to_numpy(dtype="float32").copy())  # whole numbers too: columns are no token ids
    array = part.to_numpy() if hasattr(part, "to_numpy") else part.__array__()
    if array.dtype.kind not in "biuf":
        raise BadInput(messages.FRAME_COLUMNS, columns=getattr(part, "name", None) or str(array.dtype))
    return torch.from_numpy(array.copy())


def _of_arrays(pairs: dict[str, tuple[Tensor, Tensor]], columns: list[str]) -> Data:
    made = dataset((pairs["train"], pairs["val"]) if "val" in pairs else pairs["train"])
    form = {**made.preprocess, **({"columns": columns} if columns else {})}
    if "test" not in pairs:
        return replace(made, preprocess=form)
    both = dataset((pairs["train"], pairs["test"]))  # whose facts are those of train
    return replace(made, test=both.val, fingerprint=made.fingerprint + both.fingerprint, preprocess=form)


def columns_of(split: Any, target: str | None) -> list[str]:
    """The names of a DataFrame's input columns, in order; none of anything else."""
    frame = split[0] if isinstance(split, tuple) else split
    return [str(name) for name in frame.columns if name != target] if _frame(frame) else []


def as_rows(split: Any, reader: Reader, data: Data, target: str | None = None) -> Any:
    """More data of the kind that `data` was made of, as rows."""
    if not _in_memory(split):
        return _rows("data", split, reader, None)
    if columns := data.preprocess.get("columns"):
        frame = split[0] if isinstance(split, tuple) else split
        chosen = in_order(frame, columns + ([] if isinstance(split, tuple) or target is None else [target]))
        split = (chosen, split[1]) if isinstance(split, tuple) else chosen
    x, y = _pair(split, target)
    rows: Any = dataset((x, y)).train
    known: Any = data.train
    return replace(rows, mean=known.mean, std=known.std) if isinstance(rows, Images) else rows


def in_order(frame: Any, columns: list[str]) -> Any:
    """A DataFrame's columns as training had them; an array is taken as it is. Raises BadInput for one that is missing."""
    if not _frame(frame):
        return frame
    if missing := [name for name in columns if name not in frame.columns]:
        raise BadInput(messages.TABLE_COLUMN_GONE, column=missing[0], columns=", ".join(map(str, frame.columns)))
    return frame[columns]


def _rows(name: str, split: Any, reader: Reader, steps: int | None) -> Any:
    from torch.utils.data import DataLoader, Dataset, IterableDataset

    if isinstance(split, IterableDataset):
        raise BadInput(messages.FIT_STREAM)
    fetched = isinstance(split, Dataset) or type(split).__module__.startswith("datasets.")
    if fetched and not isinstance(split, DataLoader) and hasattr(split, "__getitem__") and hasattr(split, "__len__"):
        if len(split) == 0:
            raise BadInput(messages.EMPTY_SPLIT, split=name)
        return Items(split, reader)
    if not isinstance(split, Iterable) or isinstance(split, Tensor | str | dict):
        raise BadInput(messages.FIT_DATA, split=name, found=type(split).__name__)
    loader = Loader(split, reader, steps)
    if name != "train":
        return Held(loader)
    if loader.steps is None:
        raise BadInput(messages.LOADER_NO_LENGTH, found=type(split).__name__)
    return loader


def _facts(recipe: Recipe, inputs: Any, targets: Any, rows: int) -> tuple[Facts, bool]:
    """What one batch, and what the model says to it, show; and whether the task's usual metrics are right for that."""
    output = _said(recipe.model, inputs)
    first = next(iter(inputs.values())) if isinstance(inputs, dict) else inputs
    scores = output if isinstance(output, Tensor) else getattr(output, "logits", None)

    def facts(task: str, outputs: int, vocab: int | None = None) -> Facts:
        return Facts(task, tuple(first.shape[1:]), outputs, vocab=vocab, rows=rows)

    if not isinstance(targets, Tensor) or not isinstance(scores, Tensor):
        return facts("regress", 0), False
    if targets.is_floating_point() or targets.dtype == torch.bool:
        yes_or_no = bool(((targets == 0) | (targets == 1)).all())
        if yes_or_no and (targets.dtype == torch.bool or _of_logits(recipe.loss)):
            return facts("multilabel", targets[0].numel()), True
        return facts("regress", targets[0].numel()), not _of_probabilities(recipe.loss)
    if targets.dim() == 1 and scores.dim() == 2:
        return facts("classify", max(scores.shape[1], 2)), True
    if targets.dim() == 2 and scores.dim() == 3 and scores.shape[:2] == targets.shape and not first.is_floating_point():
        own = returned_loss(output) is not None  # which may have shifted the labels by itself
        return facts("language", scores.shape[2], scores.shape[2]), not own
    return facts("classify", scores.shape[1] if scores.dim() > 1 else 2), False


def _said(model: nn.Module, inputs: Any) -> Any:
    """The model's output for two rows, where it is, moving nothing."""
    from danlu.losses.criterion import forward

    own = next(iter(model.parameters()), torch.empty(0))
    modes = [(module, module.training) for module in model.modules()]
    few = _to(cut(inputs, 0, 2), own)
    try:
        with torch.no_grad(), undrawn():
            return forward(model.eval(), few)
    finally:
        for module, training in modes:
            module.training = training


def _to(tree: Any, like: Tensor) -> Any:
    """Where a tensor is, and floats in its type."""
    if isinstance(tree, dict):
        return {key: _to(value, like) for key, value in tree.items()}
    return tree.to(like.device, like.dtype if tree.is_floating_point() else tree.dtype)


def _of_logits(loss: Any) -> bool:
    return loss in (F.binary_cross_entropy_with_logits, nn.BCEWithLogitsLoss) or isinstance(loss, nn.BCEWithLogitsLoss)


def _of_probabilities(loss: Any) -> bool:
    return loss in (F.binary_cross_entropy, nn.BCELoss) or isinstance(loss, nn.BCELoss)
