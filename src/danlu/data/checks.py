"""What must hold of every row before the first step, or a sentence that names the row and the value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from danlu import messages
from danlu.data.fingerprint import spread
from danlu.data.images import Images
from danlu.data.source import Data, Rows
from danlu.data.text import Windows
from danlu.errors import BadInput

SAMPLE = 256  # rows looked at in a source that cannot show its whole content
IGNORED = -100  # the label of a position that does not count, torch's convention


def check_rows(data: Data, batch_size: int) -> None:
    """Raises BadInput for an empty split, less than one batch of train rows, numbers that are not finite, labels, token ids or categories
    out of range, and targets of another width than the facts say.

    What is in memory is checked whole; of other rows 256, evenly spread, and the rest as they are fetched (`checked`).
    """
    for split in ("train", "val", "test"):
        rows = getattr(data, split)
        if rows is None:
            continue
        if len(rows) == 0:
            raise BadInput(messages.EMPTY_SPLIT, split=split)
        if split == "train" and len(rows) < batch_size:
            raise BadInput(messages.LESS_THAN_A_BATCH, rows=len(rows), batch_size=batch_size)
        if isinstance(rows, Windows):
            _check_tokens(split, "tokens", rows.tokens.view(-1, 1), data.facts.vocab)
            continue
        ids = None if hasattr(rows, "content") else spread(len(rows), SAMPLE)
        inputs, targets = rows.content() if ids is None else rows.fetch(ids, 0)
        if not isinstance(rows, Images):  # whose bytes are all finite
            _check_inputs(data, split, inputs, ids)
        _check_targets(data, split, targets, ids)


def checked(data: Data) -> Data:
    """The data, whose rows that `check_rows` could not see whole are checked for labels, token ids and categories as they are fetched."""
    seen = {split: getattr(data, split) for split in ("train", "val", "test")}
    hidden: dict[str, Any] = {
        split: Checked(rows, split, data)
        for split, rows in seen.items()
        if rows is not None and not hasattr(rows, "content") and not hasattr(rows, "one_pass")  # whose ids are none of the rows'
    }
    return replace(data, **hidden) if hidden else data


@dataclass(frozen=True, eq=False)
class Checked:
    """Rows that raise BadInput, naming row and value, when what was fetched is out of range: before the model has seen it."""

    rows: Rows
    split: str
    data: Data

    @property
    def workers(self) -> int:
        return getattr(self.rows, "workers", 0)

    @property
    def ahead(self) -> int:
        return getattr(self.rows, "ahead", 1)

    def __len__(self) -> int:
        return len(self.rows)

    def fetch(self, ids: Tensor, draw: int) -> tuple[Any, Any]:
        inputs, targets = self.rows.fetch(ids, draw)
        for part, x in _parts(inputs):
            _check_whole_numbers(self.data, self.split, part, x, ids)
        if isinstance(targets, Tensor) and not targets.is_floating_point():
            _check_targets(self.data, self.split, targets, ids)
        return inputs, targets


def fully_labelled(data: Data) -> bool:
    """Whether every target of every split is known to be a label, none the ignored one (-100)."""
    for rows in (data.train, data.val, data.test):
        if rows is None or isinstance(rows, Windows):  # the targets of windows are tokens
            continue
        targets = rows.content()[1] if hasattr(rows, "content") else None
        if not isinstance(targets, Tensor) or targets.is_floating_point() or bool((targets < 0).any()):
            return False
    return True


def _check_inputs(data: Data, split: str, inputs: Any, ids: Tensor | None) -> None:
    for part, x in _parts(inputs):
        if x.is_floating_point():
            _check_finite(split, part, x, ids, data.preprocess.get("columns", ()))
        else:
            _check_whole_numbers(data, split, part, x, ids)


def _parts(inputs: Any) -> list[tuple[str, Tensor]]:
    tree = inputs if isinstance(inputs, dict) else {"inputs": inputs}
    return [(part, x) for part, x in tree.items() if isinstance(x, Tensor)]


def _check_whole_numbers(data: Data, split: str, part: str, x: Tensor, ids: Tensor | None) -> None:
    if x.is_floating_point():
        return
    if part == "category":
        _check_categories(split, x, data.facts.cardinalities, ids)
    elif data.facts.vocab is not None and part in ("inputs", "input_ids", "tokens"):
        _check_tokens(split, part, x, data.facts.vocab, ids)


def _check_targets(data: Data, split: str, targets: Any, ids: Tensor | None) -> None:
    facts = data.facts
    if not isinstance(targets, Tensor):
        return
    if targets.is_floating_point():
        width = targets.shape[-1] if targets.dim() > 1 else 1
        if width != facts.outputs:
            raise BadInput(messages.TARGET_COLUMNS, split=split, found=width, expected=facts.outputs)
        _check_finite(split, "targets", targets, ids, ())
    elif facts.task in ("language", "masked_language"):
        _check_tokens(split, "targets", targets, facts.outputs, ids, ignored=True)
    elif facts.task == "classify":
        bad = ((targets < 0) | (targets >= facts.outputs)) & (targets != IGNORED)
        if bool(bad.any()):
            place = tuple(bad.nonzero()[0].tolist())
            values = {"row": _row(place[0], ids), "value": int(targets[place]), "last": facts.outputs - 1, "classes": facts.outputs}
            raise BadInput(messages.LABEL_OUT_OF_RANGE, split=split, **values)


def _check_finite(split: str, part: str, x: Tensor, ids: Tensor | None, names: Any) -> None:
    if bool(torch.isfinite(x.sum(dtype=torch.float64))):  # any inf or NaN would show in the sum, which takes no memory
        return
    bad = ~torch.isfinite(x)
    if not bool(bad.any()):
        return
    place = tuple(bad.nonzero()[0].tolist())
    column = ", ".join(map(str, place[1:])) or "0"
    if len(place) == 2 and place[1] < len(names):
        column = f"`{names[place[1]]}`"
    raise BadInput(messages.NOT_FINITE, split=split, part=part, row=_row(place[0], ids), column=column, value=float(x[place]))


def _check_tokens(split: str, part: str, x: Tensor, vocab: int | None, ids: Tensor | None = None, ignored: bool = False) -> None:
    if vocab is None:
        return
    for start in range(0, len(x), 1 << 20):  # in parts: torch compares no uint16, and int32 of a whole corpus is large
        block = x[start : start + (1 << 20)].to(torch.int32 if x.dtype == torch.uint16 else x.dtype)
        bad = (block < 0) | (block >= vocab)
        bad = bad & (block != IGNORED) if ignored else bad
        if bool(bad.any()):
            place = tuple(bad.nonzero()[0].tolist())
            values = {"column": ", ".join(map(str, place[1:])) or "0", "value": int(block[place]), "last": vocab - 1}
            raise BadInput(messages.TOKEN_OUT_OF_RANGE, split=split, part=part, row=_row(start + place[0], ids), **values)


def _check_categories(split: str, x: Tensor, cardinalities: tuple[int, ...], ids: Tensor | None) -> None:
    bad = (x < 0) | (x >= torch.tensor(cardinalities, dtype=x.dtype))
    if bool(bad.any()):
        row, column = bad.nonzero()[0].tolist()
        values = {"row": _row(row, ids), "column": column, "value": int(x[row, column]), "last": cardinalities[column] - 1}
        raise BadInput(messages.CATEGORY_OUT_OF_RANGE, split=split, **values)


def _row(place: int, ids: Tensor | None) -> int:
    return place if ids is None else int(ids[place])
