"""Whatever a recipe says in `data`, made into a `Data`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from danlu import messages
from danlu.data.fingerprint import fingerprint
from danlu.data.images import Images, channel_statistics
from danlu.data.source import Data, Facts, Tensors
from danlu.errors import BadInput


def dataset(data: Any) -> Data:
    """A description (which is called), a `Data`, or arrays: (x, y), or ((x, y), (x_val, y_val)), torch or numpy.

    Of arrays the facts are inferred. Inputs: floats become float32 rows, uint8 of four dimensions are images [rows, C, H, W], normalised
    by the train rows; any other integers are token ids. Targets: integers [rows] are classes, integers shaped like token inputs are a
    language model's next tokens, bools [rows, labels] are several labels, floats [rows] or [rows, columns] are regressed.
    Raises BadInput for anything else.
    """
    if isinstance(data, Data):
        return _recognised(data)
    pairs = _pairs(data)
    if pairs is not None:
        return _from_arrays(*pairs)
    description = data() if isinstance(data, type) else data
    made = description() if callable(description) else description
    if not isinstance(made, Data):
        raise BadInput(messages.NOT_DATA, found=type(made).__name__)
    return _recognised(made)


def _recognised(data: Data) -> Data:
    """With a fingerprint, so that a run that goes on sees whether the rows are still those it began with."""
    splits = (data.train, data.val, data.test)
    if data.fingerprint or any(hasattr(rows, "one_pass") for rows in splits):  # whose rows come in an order of their own
        return data
    return replace(data, fingerprint=fingerprint(*splits))


def _pairs(data: Any) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor] | None] | None:
    if not isinstance(data, tuple | list) or len(data) != 2:
        return None
    if all(isinstance(part, Tensor | np.ndarray) for part in data):
        return _pair(data, "train"), None
    if all(isinstance(part, tuple | list) and len(part) == 2 and _arrays(part) for part in data):
        return _pair(data[0], "train"), _pair(data[1], "val")
    return None


def _arrays(pair: Any) -> bool:
    return all(isinstance(part, Tensor | np.ndarray) for part in pair)


def _pair(pair: Any, split: str) -> tuple[Tensor, Tensor]:
    x, y = (_tensor(part) for part in pair)
    if x.dim() == 0 or y.dim() == 0:
        raise BadInput(messages.NOT_DATA, found=f"shapes {tuple(x.shape)}, {tuple(y.shape)}")
    if len(x) != len(y):
        raise BadInput(messages.ROWS_DIFFER, split=split, inputs=len(x), targets=len(y))
    x = x[:, None] if x.dim() == 1 else x
    if x.is_floating_point() or x.dtype == torch.bool:
        x = x.float()
    elif x.dtype != torch.uint8 or x.dim() != 4:
        x = x.long()
    if y.is_floating_point():
        y = (y[:, None] if y.dim() == 1 else y).float()
    elif y.dtype != torch.bool or y.dim() != 2:
        y = (y[:, 0] if y.dim() == 2 and y.shape[1] == 1 and x.shape != y.shape else y).long()
    return x, y


def _tensor(part: Tensor | np.ndarray) -> Tensor:
    if isinstance(part, Tensor):
        return part.detach().cpu()
    if part.dtype.kind not in "biuf":
        raise BadInput(messages.NOT_DATA, found=f"numpy {part.dtype}")
    if part.dtype.kind == "u" and part.dtype.itemsize > 1:  # torch can do little with wider unsigned integers
        part = part.astype(np.int64)
    return torch.from_numpy(np.ascontiguousarray(part.astype(part.dtype.newbyteorder("="), copy=True)))


def _from_arrays(train: tuple[Tensor, Tensor], val: tuple[Tensor, Tensor] | None) -> Data:
    (x, y), both = train, (train, val or train)
    if val is not None and x.shape[1:] != val[0].shape[1:]:
        raise BadInput(messages.DATA_SHAPES_DIFFER, train=tuple(x.shape[1:]), val=tuple(val[0].shape[1:]))
    if val is not None and y.shape[1:] != val[1].shape[1:]:
        raise BadInput(messages.DATA_SHAPES_DIFFER, train=tuple(y.shape[1:]), val=tuple(val[1].shape[1:]))
    if len(x) == 0:
        raise BadInput(messages.EMPTY_SPLIT, split="train")
    facts = _facts(both)
    pairs = [(x, y.float() if y.dtype == torch.bool else y) for x, y in (both if val is not None else both[:1])]
    if x.dtype == torch.uint8:
        mean, std = channel_statistics(x)
        splits: list[Any] = [Images(*pair, mean, std) for pair in pairs]
        form = {"kind": "images", "mean": list(mean), "std": list(std)}
    else:
        splits = [Tensors(*pair) for pair in pairs]
        form = {"kind": "arrays"}
    return Data(splits[0], facts, val=splits[1] if val is not None else None, fingerprint=fingerprint(*splits), preprocess=form)


def _facts(pairs: tuple[tuple[Tensor, Tensor], ...]) -> Facts:
    """Classes are those of train, so that a new one in val is found; token ids are those of both."""
    x, y = pairs[0]
    vocab = 1 + max(int(part.max()) for part, _ in pairs) if x.dtype == torch.int64 else None
    common: dict[str, Any] = {"shape": tuple(x.shape[1:]), "rows": len(x)}
    if y.is_floating_point():
        return Facts(task="regress", outputs=y[0].numel(), vocab=vocab, **common)
    if y.dtype == torch.bool:
        return Facts(task="multilabel", outputs=y.shape[1], vocab=vocab, class_counts=tuple(y.sum(0).tolist()), **common)
    if vocab is not None and y.shape == x.shape:
        vocab = max(vocab, *(1 + int(part.max()) for _, part in pairs))
        return Facts(task="language", outputs=vocab, vocab=vocab, **common)
    outputs = 1 + max(int(y.max()), 0)
    counts = torch.bincount(y[y >= 0], minlength=outputs)
    return Facts(task="classify", outputs=outputs, vocab=vocab, class_counts=tuple(counts.tolist()), **common)
