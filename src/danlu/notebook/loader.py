"""Somebody else's loader in the loop: its batches as they come, in its own order, each a step.

What a loader cannot promise is a position: a run that goes on later begins a new pass.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from danlu import messages
from danlu.core import Batch, Recipe
from danlu.errors import BadInput
from danlu.placement import device as devices
from danlu.placement.order import Plan
from danlu.placement.single import Single

Read = Callable[[Any], tuple[Any, Any]]  # one batch of the loader as (inputs, targets), rows first


class Loader:
    """A loader as rows to train on. read: what makes (inputs, targets) of a batch. steps: batches of a pass, where the loader does not say.

    The loader's random numbers are its own: what it would draw in a hand-written loop of a model that draws none, it draws here.
    """

    def __init__(self, loader: Any, read: Read, steps: int | None = None):
        self.loader, self.read = loader, read
        with undrawn():
            self.first = read(first_batch(loader))
        self.batch_size = count(self.first)
        said = length(loader)
        self.steps = said if said is not None else steps
        self.rows = rows_said(loader) or (self.steps or 1) * self.batch_size
        self._random: Tensor | None = None

    def __len__(self) -> int:
        return self.rows

    def fetch(self, ids: Tensor, draw: int) -> tuple[Any, Any]:
        """The first rows of the batch that was looked at: for checks."""
        return cut(self.first[0], 0, len(ids)), cut(self.first[1], 0, len(ids))

    def one_pass(self, epoch: int) -> Iterator[tuple[Any, Any]]:
        """The batches of a new pass. Raises BadInput if there is none."""
        shuffled: Any = getattr(self.loader, "sampler", None)
        if hasattr(shuffled, "set_epoch"):
            shuffled.set_epoch(epoch)
        with self._drawing():
            batches = iter(self.loader)
        found = False
        while True:
            with self._drawing():
                batch = next(batches, None)
            if batch is None:
                break
            found = True
            yield self.read(batch)
        if not found:
            raise BadInput(messages.LOADER_USED_UP, found=type(self.loader).__name__, number=epoch + 1)

    @contextmanager
    def _drawing(self) -> Iterator[None]:
        """Inside, torch's generator is where this loader left it; afterwards where everybody else did."""
        outer = torch.get_rng_state()
        if self._random is not None:
            torch.set_rng_state(self._random)
        try:
            yield
        finally:
            self._random = torch.get_rng_state()
            torch.set_rng_state(outer)


class Held:
    """A loader as rows to look at: fetched in order, as many at a time as is asked for, pass after pass."""

    def __init__(self, loader: Loader):
        self.loader = loader
        self.rows = rows_said(loader.loader) or sum(map(count, loader.one_pass(0)))
        self._batches: Iterator[tuple[Any, Any]] = iter(())
        self._left: list[tuple[Any, Any]] = []

    def __len__(self) -> int:
        return self.rows

    def fetch(self, ids: Tensor, draw: int) -> tuple[Any, Any]:
        if int(ids[0]) == 0:
            self._batches, self._left = self.loader.one_pass(0), []
        while (there := sum(map(count, self._left))) < len(ids):
            batch = next(self._batches, None)
            if batch is None:
                raise BadInput(messages.LOADER_SHORTER, rows=self.rows, found=int(ids[0]) + there)
            self._left.append(batch)
        inputs, targets = (joined([pair[side] for pair in self._left]) for side in (0, 1))
        self._left = [(cut(inputs, len(ids), there), cut(targets, len(ids), there))] if there > len(ids) else []
        return cut(inputs, 0, len(ids)), cut(targets, 0, len(ids))


class LoaderPlan(Plan):
    """The plan of a loader: its own number of steps a pass, rows numbered as they come."""

    def __init__(self, rows: Loader, micro_batch_size: int | None, seed: int):
        super().__init__(len(rows), rows.batch_size, micro_batch_size, seed, shuffle=False)
        self.steps_per_epoch = rows.steps or self.steps_per_epoch


@dataclass
class Loading(Single):
    """One process on one device that is fed by somebody else's loader, where the data is one."""

    def plan(self, rows: Any, recipe: Recipe) -> Plan:
        if not isinstance(rows, Loader):
            return super().plan(rows, recipe)
        return LoaderPlan(rows, recipe.micro_batch_size, recipe.seed)

    def stream(self, rows: Any, plan: Plan, start: int, stop: int) -> Iterator[Batch]:
        if not isinstance(rows, Loader):
            yield from super().stream(rows, plan, start, stop)
            return
        step = start
        while step < stop:
            epoch, place = divmod(step, plan.steps_per_epoch)
            for inputs, targets in rows.one_pass(epoch):
                yield from self._step(inputs, targets, plan, step, place * plan.batch_size)
                step, place = step + 1, place + 1
                if step == stop:
                    return

    def _step(self, inputs: Any, targets: Any, plan: Plan, step: int, first: int) -> Iterator[Batch]:
        """The micro-batches of one batch of the loader; its rows are numbered from `first`."""
        there = count((inputs, targets))
        size = plan.micro_batch_size or there
        starts = range(0, there, size)
        for place, start in enumerate(starts):
            end = min(start + size, there)
            ids = devices.to(torch.arange(first + start, first + end), self.device)
            x, y = self.put(cut(inputs, start, end)), self.put(cut(targets, start, end))
            yield Batch(x, y, ids, step, place, place == len(starts) - 1, {"rows": end - start})


# ---- what a loader says of itself ----


def length(loader: Any) -> int | None:
    """Batches of a pass, None where it does not say."""
    try:
        return len(loader)
    except TypeError:
        return None


def rows_said(loader: Any) -> int | None:
    """Rows of a pass, where torch's own batching settles them; else None."""
    from torch.utils.data import BatchSampler, DataLoader, IterableDataset

    if not isinstance(loader, DataLoader) or isinstance(loader.dataset, IterableDataset) or type(loader.batch_sampler) is not BatchSampler:
        return None
    rows = len(loader.sampler)  # type: ignore[arg-type]
    return len(loader) * loader.batch_sampler.batch_size if loader.drop_last else rows


def first_batch(loader: Any) -> Any:
    """The batch that a pass begins with, or one like it. Raises BadInput for a loader that is empty or can be gone through but once."""
    from torch.utils.data import DataLoader, IterableDataset

    if isinstance(loader, Iterator):
        raise BadInput(messages.LOADER_ONCE, found=type(loader).__name__)
    if isinstance(loader, DataLoader) and not isinstance(loader.dataset, IterableDataset) and loader.batch_sampler is not None:
        # one batch is not worth starting worker processes for
        ids = next(iter(loader.batch_sampler), None)
        batch = None if ids is None else loader.collate_fn([loader.dataset[i] for i in ids])
    else:
        batch = next(iter(loader), None)
    if batch is None:
        raise BadInput(messages.LOADER_EMPTY, found=type(loader).__name__)
    return batch


@contextmanager
def undrawn() -> Iterator[None]:
    """What is drawn inside, from torch, numpy or Python, was not drawn afterwards."""
    mine, numpys = random.getstate(), np.random.get_state()  # noqa: NPY002 (the generator that a data set of somebody's may use)
    with torch.random.fork_rng():
        try:
            yield
        finally:
            random.setstate(mine)
            np.random.set_state(numpys)  # noqa: NPY002


# ---- trees of tensors, rows first ----


def count(pair: tuple[Any, Any]) -> int:
    """Rows of a batch."""
    leaf = pair[0]
    while isinstance(leaf, dict):
        leaf = next(iter(leaf.values()))
    return len(leaf)


def cut(tree: Any, start: int, stop: int) -> Any:
    """Rows `start` to `stop`."""
    if isinstance(tree, dict):
        return {key: cut(value, start, stop) for key, value in tree.items()}
    return tree if start == 0 and stop >= len(tree) else tree[start:stop]


def joined(trees: list[Any]) -> Any:
    """Batches as one."""
    if len(trees) == 1:
        return trees[0]
    if isinstance(trees[0], dict):
        return {key: joined([tree[key] for tree in trees]) for key in trees[0]}
    return torch.cat(trees)
