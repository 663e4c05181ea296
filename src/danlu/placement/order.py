"""The order of the data: a pure function from (seed, epoch, rows) to the global list of steps and micro-batches, before any sharding.

Position is one integer, the step: what was consumed, never what a worker prefetched. Processes take slices of the global list and get
empty, zero-count micro-batches to match, so that every process runs the same number of evaluations.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import groupby, islice
from typing import Any, NamedTuple

import torch
from torch import Tensor

from danlu.keys import generator, mix

_ALIGNED = 64  # bytes: torch's allocator starts every tensor of its own at a multiple


class Slot(NamedTuple):
    """One micro-batch of the plan. ids: [rows] int64; `empty` ones repeat a row that counts for nothing."""

    step: int
    place: int  # among the micro-batches of the step, over all processes
    ids: Tensor
    last: bool
    empty: bool


class Plan:
    """Which rows each step sees. The last, shorter batch of an epoch is kept: denominators make it exact."""

    def __init__(self, rows: int, batch_size: int, micro_batch_size: int | None, seed: int, shuffle: bool = True):
        self.rows, self.batch_size, self.micro_batch_size = rows, batch_size, micro_batch_size
        self.seed, self.shuffle = seed, shuffle
        self.at_once = min(micro_batch_size or batch_size, batch_size)  # rows that are known to fit in memory together
        self.steps_per_epoch = -(-rows // batch_size)
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.int64)

    def ids(self, step: int) -> Tensor:
        """The global sample ids of a step, in order: [batch_size] int64, fewer in the last step of an epoch."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._epoch = epoch
            draws = generator(self.seed, "order", epoch)
            self._order = torch.randperm(self.rows, generator=draws) if self.shuffle else torch.arange(self.rows)
        return self._order[place * self.batch_size : (place + 1) * self.batch_size]

    def micro_batches(self, step: int, world: int = 1) -> tuple[Tensor, ...]:
        """The step's ids cut into micro-batches: of `micro_batch_size` rows, or as many equal ones as there are processes."""
        ids = self.ids(step)
        size = self.micro_batch_size or -(-len(ids) // world)
        return ids.split(size) if size < len(ids) else (ids,)

    def shard(self, step: int, rank: int, world: int) -> Iterator[Slot]:
        """What process `rank` of `world` evaluates in this step: every world-th micro-batch, padded with empty ones to equal numbers."""
        parts = self.micro_batches(step, world)
        turns = -(-len(parts) // world)
        for turn in range(turns):
            index = turn * world + rank
            empty = index >= len(parts)
            yield Slot(step, index, parts[0][:1] if empty else parts[index], turn == turns - 1, empty)

    def micro_count(self, world: int = 1) -> int:
        """Micro-batches of a full step, over all processes."""
        size = self.micro_batch_size or -(-self.batch_size // world)
        return -(-min(self.batch_size, self.rows) // size)


def fetched(rows: Any, plan: Plan, slots: Iterator[Slot]) -> Iterator[tuple[Slot, Any, Any]]:
    """Each slot with its inputs and targets, fetched here or, when `rows.workers` says so, by worker processes in the same order.

    Rows in memory (`rows.ahead` > 1) are gathered for several slots of an epoch at once and handed out as views: the same rows.
    """
    workers, ahead = getattr(rows, "workers", 0), getattr(rows, "ahead", 1)
    per_epoch = plan.steps_per_epoch

    def draw(epoch: int) -> int:
        return mix(plan.seed, "fetch", epoch) if plan.shuffle else 0

    if workers:
        from danlu.data.workers import loader

        waiting: deque[Slot] = deque()

        def asked() -> Iterator[tuple[Tensor, int]]:
            for slot in slots:
                waiting.append(slot)
                yield slot.ids, draw(slot.step // per_epoch)

        for inputs, targets in loader(rows, asked(), workers):
            yield waiting.popleft(), inputs, targets
    elif ahead == 1:
        for slot in slots:
            yield slot, *rows.fetch(slot.ids, draw(slot.step // per_epoch))
    else:
        for epoch, same in groupby(slots, lambda slot: slot.step // per_epoch):
            while chunk := list(islice(same, ahead)):
                sizes = [len(slot.ids) for slot in chunk]
                inputs, targets = rows.fetch(torch.cat([slot.ids for slot in chunk]), draw(epoch))
                yield from zip(chunk, _split(inputs, sizes), _split(targets, sizes))


def _split(tree: Any, sizes: list[int]) -> Any:
    if isinstance(tree, dict):
        parts = {key: _split(value, sizes) for key, value in tree.items()}
        return [{key: value[k] for key, value in parts.items()} for k in range(len(sizes))]
    row = tree.stride(0) * tree.element_size()
    if any(size * row % _ALIGNED for size in sizes[:-1]):
        # A product's last bit depends on how its rows lie in memory, and a run that starts elsewhere would cut the chunks elsewhere.
        return [part.clone() for part in tree.split(sizes)]
    return tree.split(sizes)
