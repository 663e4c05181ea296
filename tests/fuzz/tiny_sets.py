"""Data of a few rows for every task and kind of input; recipes name it as a user's own file: `tiny_sets.py:Tiny`."""

from __future__ import annotations

import functools
import string
from dataclasses import dataclass
from typing import Literal

import torch
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

from danlu.data.source import Data, Facts, Rows, Tensors
from danlu.data.text import Windows
from danlu.fields import PositiveInt

Kind = Literal["digits", "images", "wine", "two_classes", "labels", "numbers", "table", "stream", "masked", "padded"]
VAL = 12
LENGTH = 6
MASK, PADDING = 1, 0


@dataclass(frozen=True)
class Tiny:
    """A few rows of scikit-learn's tables, or of a text.

    kind: which; rows of numbers, images, mixed tables or tokens, for every task
    rows: rows to train on
    """

    kind: Kind = "digits"
    rows: PositiveInt = 40

    def __call__(self) -> Data:
        inputs, targets, facts = _tokens(self.kind) if self.kind in ("masked", "padded") else _numbers(self.kind)
        if self.kind == "stream":
            return self._stream()
        train, val = slice(VAL, VAL + self.rows), slice(0, VAL)
        counts = tuple(torch.bincount(targets[train], minlength=facts["outputs"]).tolist()) if facts["task"] == "classify" else ()
        described = Facts(**facts, class_counts=counts, rows=self.rows)
        return Data(Tensors(_cut(inputs, train), targets[train]), described, val=Tensors(_cut(inputs, val), targets[val]))

    def _stream(self) -> Data:
        tokens = _letters(LENGTH * (self.rows + 2) + 1)
        train: Rows = Windows(tokens, LENGTH, move=True)
        val = Windows(_letters(LENGTH * VAL + 1), LENGTH)
        facts = Facts("language", (LENGTH,), 29, vocab=29, rows=len(train), bytes_per_token=1.0)
        return Data(train, facts, val=val)


def _cut(inputs: torch.Tensor | dict[str, torch.Tensor], part: slice) -> torch.Tensor | dict[str, torch.Tensor]:
    return {key: value[part] for key, value in inputs.items()} if isinstance(inputs, dict) else inputs[part]


@functools.cache
def _numbers(kind: str) -> tuple:
    """(inputs, targets, facts) of rows of numbers, shuffled once and for all; the first VAL rows have every class."""
    bunch = {"wine": load_wine, "numbers": load_wine, "table": load_wine, "two_classes": load_breast_cancer}.get(kind, load_digits)()
    x, y = torch.from_numpy(bunch.data).float(), torch.from_numpy(bunch.target).long()
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(5))
    x, y = x[order], y[order]
    x = x / 16 if kind in ("digits", "images", "labels", "stream") else (x - x.mean(0)) / x.std(0)
    classes = len(bunch.target_names)
    if kind == "images":
        return x.view(-1, 1, 8, 8), y, {"task": "classify", "shape": (1, 8, 8), "outputs": classes}
    if kind == "labels":  # of a digit: is it even, above four, has it a hole
        labels = torch.stack([y % 2 == 0, y > 4, (y == 0) | (y == 6) | (y > 7)], 1).float()
        return x, labels, {"task": "multilabel", "shape": (64,), "outputs": 3}
    if kind == "numbers":
        return x[:, 1:], x[:, :1], {"task": "regress", "shape": (12,), "outputs": 1, "shift": 13.0, "scale": 0.8}
    if kind == "table":
        categories = torch.stack([(x[:, 0] > 0).long(), torch.bucketize(x[:, 1].contiguous(), torch.tensor([-0.5, 0.5]))], 1) + 1
        facts = {"task": "classify", "shape": (11,), "outputs": classes, "cardinalities": (3, 4)}
        return {"numeric": x[:, 2:].contiguous(), "category": categories}, y, facts
    return x, y, {"task": "classify", "shape": (x.shape[1],), "outputs": classes}


def _letters(count: int) -> torch.Tensor:
    """Tokens of a text in which some follow others more often than not: ids 2 to 28, [count] int32."""
    draws = torch.randint(0, 27, (count,), generator=torch.Generator().manual_seed(count))
    text = (string.ascii_lowercase + " ") * 3
    letters = [text[(place * 7 + int(draw) // 9) % 27] for place, draw in enumerate(draws)]
    return torch.tensor([2 + string.printable.index(letter) % 27 for letter in letters]).int()


@functools.cache
def _tokens(kind: str) -> tuple:
    """Rows of LENGTH tokens: some of them masked, to be filled in; or of different lengths, to be classified by their first letter."""
    tokens = _letters(LENGTH * 200).long().view(-1, LENGTH)
    draw = torch.Generator().manual_seed(11)
    if kind == "masked":
        hidden = torch.rand(tokens.shape, generator=draw) < 0.3  # some rows have none to fill in
        targets = tokens.where(hidden, -100)
        return tokens.where(~hidden, MASK), targets, {"task": "masked_language", "shape": (LENGTH,), "outputs": 29, "vocab": 29}
    length = torch.randint(1, LENGTH + 1, (len(tokens), 1), generator=draw)
    labels = tokens[:, 0] % 3
    facts = {"task": "classify", "shape": (LENGTH,), "outputs": 3, "vocab": 29, "padding": PADDING}
    return tokens.where(torch.arange(LENGTH) < length, PADDING), labels, facts
