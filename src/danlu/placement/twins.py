"""How an optimiser steps over weights that lie in parts: it is given ordinary tensors in their place.

An optimiser that moves every number by itself (SGD, Adam) is given the parts that this process holds, and keeps its state for these alone.
Any other, one that looks at rows, matrices or the whole model (LAMB, Muon, Shampoo, L-BFGS), is given whole copies, gathered for the step:
every process takes the same step, and keeps its own parts of what came out. Which one it is, the optimiser says (see danlu.optim.reach);
one that says nothing is given whole copies, which is always right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from danlu.optim.reach import reach
from danlu.placement import shards


class Twins:
    """An optimiser over the twins of the model's parameters; outside a step its groups name the parameters themselves."""

    def __init__(self, wish: Callable[[Iterable[Any]], torch.optim.Optimizer], entries: Iterable[Any]):
        given = list(entries)
        self.whole = False
        self.optimizer = self._made(wish, given)
        if reach(self.optimizer) != "number":
            self.whole = True
            self.optimizer = self._made(wish, given)
            self._free()

    def _made(self, wish: Callable[[Iterable[Any]], torch.optim.Optimizer], entries: list[Any]) -> torch.optim.Optimizer:
        self.twins: dict[Tensor, nn.Parameter] = {}
        optimizer = wish([self._entry(entry) for entry in entries])
        self._back = {twin: p for p, twin in self.twins.items()}
        self._swap(optimizer, self._back)
        return optimizer

    def _entry(self, entry: Any) -> Any:
        if isinstance(entry, dict):
            return {**entry, "params": [self._entry(one) for one in entry["params"]]}
        if isinstance(entry, tuple):
            return entry[0], self._entry(entry[1])
        if entry not in self.twins:
            value = shards.together([entry])[0] if self.whole else shards.held(entry.detach())
            self.twins[entry] = nn.Parameter(value.detach()) if shards.is_parted(entry) else entry
        return self.twins[entry]

    @staticmethod
    def _swap(optimizer: torch.optim.Optimizer, by: dict[Any, Any]) -> None:
        for group in optimizer.param_groups:
            group["params"][:] = [by[p] for p in group["params"]]  # in place: some optimisers keep the list

    @contextmanager
    def _standing_in(self, inward: bool) -> Iterator[None]:
        self._swap(self.optimizer, self.twins if inward else self._back)
        try:
            yield
        finally:
            self._swap(self.optimizer, self._back if inward else self.twins)

    def step(self, closure: Callable[[], Any] | None) -> None:
        if not self.whole:
            for p, twin in self._parted():
                twin.grad = None if p.grad is None else shards.held(shards.by_rows(p.grad))
            try:
                with self._standing_in(True):
                    self.optimizer.step()
            finally:
                self._let_go()
            return

        def asked() -> Any:
            self._give()
            with self._standing_in(False):  # whoever evaluates sees the model's own parameters in the groups
                value = closure() if closure is not None else None
            self._fetch_gradients()
            return value

        self._fetch_weights()
        self._fetch_gradients()
        try:
            with self._standing_in(True):
                self.optimizer.step() if closure is None else self.optimizer.step(asked)
            self._give()
        finally:
            self._let_go()
            self._free()

    def _parted(self) -> list[tuple[Tensor, nn.Parameter]]:
        return [(p, twin) for p, twin in self.twins.items() if twin is not p]

    def _fetch_weights(self) -> None:
        pairs = self._parted()
        for (_, twin), value in zip(pairs, shards.together([p for p, _ in pairs])):
            twin.data = value

    def _fetch_gradients(self) -> None:
        pairs = self._parted()
        for _, twin in pairs:
            twin.grad = None
        touched = [(twin, p.grad) for p, twin in pairs if p.grad is not None]
        for (twin, _), grad in zip(touched, shards.together([grad for _, grad in touched])):
            twin.grad = grad

    @torch.no_grad()
    def _give(self) -> None:
        for p, twin in self._parted():
            shards.held(p).copy_(shards.part(twin, p))

    def _let_go(self) -> None:
        for _, twin in self._parted():
            twin.grad = None

    def _free(self) -> None:
        """Whole copies live for a step."""
        for _, twin in self._parted():
            twin.data = twin.data.new_empty(0)

    # ---- what it keeps ----

    def states(self) -> dict[Tensor, dict[str, Any]]:
        """By parameter; what is kept for a part, as a part of the whole."""
        return {self._back[twin]: {key: self._outside(v, twin) for key, v in values.items()} for twin, values in self._kept()}

    def _kept(self) -> Sequence[tuple[Any, dict[str, Any]]]:
        return [(twin, values) for twin, values in self.optimizer.state.items()]

    def _outside(self, value: Any, twin: nn.Parameter) -> Any:
        p = self._back[twin]
        if self.whole or twin is p or not isinstance(value, Tensor) or value.shape != twin.shape:
            return value
        return shards.like(value, p)

    def keep(self, p: Tensor, values: dict[str, Any]) -> None:
        """Take what is kept for `p`, whole."""
        twin = self.twins[p]

        def inside(value: Any) -> Any:
            if self.whole or twin is p or not isinstance(value, Tensor) or value.shape != p.shape:
                return value
            return shards.part(value, p).clone()

        self.optimizer.state[twin] = {key: inside(value) for key, value in values.items()}
