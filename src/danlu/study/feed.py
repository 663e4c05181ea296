"""What every member of a program is fed in a step: rows in the order of its own seed, the counts that divide its loss, its random keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
import torch
from torch import Tensor

from danlu.core import Batch, Run
from danlu.keys import mix, mixes
from danlu.placement.order import Plan
from danlu.study.program import Draw

AHEAD = 64  # steps whose keys are made at once


class Feed:
    """The batches of all members, stacked: what `placement.stream` gives each of them."""

    def __init__(self, runs: Sequence[Run]):
        first = runs[0]
        self.rows, self.placement, self.criterion = first.data.train, first.placement, first.criterion
        self.plans, self.seeds_of = [run.plan for run in runs], [run.seed for run in runs]
        self.per_epoch = first.plan.steps_per_epoch
        self._whole = [Plan(plan.rows, plan.rows, None, plan.seed, plan.shuffle) for plan in self.plans]  # whose steps are whole epochs
        self.shared = _fixed(self.rows)  # one fetch for all members
        self.dtype = torch.float64 if first.placement.precision.name == "fp64" else torch.float32
        self._epoch, self._order = -1, torch.empty(0)
        self._per_row = self._counts_per_row() if self.shared and self.criterion.over == "rows" else None
        self._constant: dict[tuple[str, int], Tensor] = {}
        self._keys: tuple[int, Tensor] = (-1, torch.empty(0))
        unsigned = [seed & 0xFFFFFFFFFFFFFFFF for seed in self.seeds_of]
        self._words = np.array(unsigned, dtype=np.uint64)[None, :]

    def ids(self, step: int) -> Tensor:
        """[members, rows of the step] int64, on the CPU."""
        epoch, place = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, torch.stack([plan.ids(epoch) for plan in self._whole])
        size = self.plans[0].batch_size
        return self._order[:, place * size : (place + 1) * size].contiguous()

    def fetch(self, step: int, ids: Tensor) -> tuple[Any, Any]:
        """Inputs and targets [members, rows, ...] on the device, floats in the stored type."""
        if self.shared:
            found = self.rows.fetch(ids.flatten(), 0)
            inputs, targets = (_mapped(lambda x: x.unflatten(0, ids.shape), tree) for tree in found)
        else:
            draws = [mix(seed, "fetch", step // self.per_epoch) for seed in self.seeds_of]
            each = [self.rows.fetch(own, draw) for own, draw in zip(ids, draws)]
            inputs, targets = (_stack([pair[side] for pair in each]) for side in (0, 1))
        return self.placement.put(inputs), self.placement.put(targets)

    def seeds(self, ids: Tensor, targets: Any) -> Callable[[str], Tensor]:
        """For the name of a count, what backward starts from: 1 / count, and 0 for a count of 0: [members]."""
        members, rows = ids.shape
        per_row = self._per_row
        if per_row is not None:

            def known(per: str) -> Tensor:
                if per in ("rows", "once") or per_row[per].ndim == 0:
                    if (per, rows) not in self._constant:
                        count = {"rows": rows, "once": 1.0}.get(per) or float(per_row[per]) * rows
                        self._constant[per, rows] = self._inverse(torch.full((members,), count, dtype=torch.float64))
                    return self._constant[per, rows]
                return self._inverse(per_row[per][ids].sum(1))

            return known
        each = []
        for k, own in enumerate(ids):
            target = _mapped(itemgetter(k), targets)
            each.append({"rows": rows, "once": 1.0, **self.criterion.counts(Batch(None, target, own.to(self.placement.device)))})
        return lambda per: self._inverse(torch.tensor([float(counts[per]) for counts in each], dtype=torch.float64))

    def keys(self, step: int, draws: Sequence[Draw]) -> Tensor:
        """The key of each draw in this step: [members, draws] int64."""
        block = step // AHEAD
        if self._keys[0] != block:
            steps = np.arange(block * AHEAD, (block + 1) * AHEAD)[:, None]
            made = [mixes(self._words, "dropout", path, steps, nth) for path, nth in draws]
            found = np.stack(made, -1) if made else np.zeros((AHEAD, len(self.plans), 0), dtype=np.int64)
            self._keys = block, torch.from_numpy(found).to(self.placement.device)
        return self._keys[1][step % AHEAD]

    def _inverse(self, counts: Tensor) -> Tensor:
        return torch.where(counts > 0, 1.0 / counts, 0.0).to(self.placement.device, self.dtype)

    def _counts_per_row(self) -> dict[str, Tensor]:
        """What each row adds to each count, [rows] float64; 0-d where all add the same. (Such counts are sums: `losses.additive`.)"""
        found: dict[str, list[float]] = {}
        for ids in torch.arange(len(self.rows)).split(1024):
            targets = self.placement.put(self.rows.fetch(ids, 0)[1])
            for place in range(len(ids)):
                row = Batch(None, _mapped(itemgetter(slice(place, place + 1)), targets), ids[place : place + 1])
                for name, count in self.criterion.counts(row).items():
                    found.setdefault(name, []).append(float(count))
        tensors = {name: torch.tensor(values, dtype=torch.float64) for name, values in found.items()}
        return {name: values[0] if bool((values == values[0]).all()) else values for name, values in tensors.items()}


def _fixed(rows: Any) -> bool:
    """Whether a fetch depends on the ids alone: said by the class whose `fetch` it is, or one below it that knows that `fetch`."""
    classes = type(rows).__mro__
    first = lambda name: next((place for place, cls in enumerate(classes) if name in vars(cls)), len(classes))
    return first("fixed") <= first("fetch") and bool(getattr(rows, "fixed", False))


def _mapped(fn: Callable[[Tensor], Tensor], tree: Any) -> Any:
    return {key: _mapped(fn, value) for key, value in tree.items()} if isinstance(tree, dict) else fn(tree)


def _stack(trees: Sequence[Any]) -> Any:
    first = trees[0]
    return {key: _stack([tree[key] for tree in trees]) for key in first} if isinstance(first, dict) else torch.stack(list(trees))
