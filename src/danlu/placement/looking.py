"""Looking at the model outside a step: evaluation, with its own weights or with an average, after which everything is as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from danlu.keys import Keyed
from danlu.placement import device as devices
from danlu.placement.buffers import Buffers
from danlu.placement.memory import glanced
from danlu.placement.order import Plan, fetched
from danlu.placement.state import Stored

if TYPE_CHECKING:
    from danlu.core import Batch
    from danlu.losses.criterion import Criterion


class Looking(Stored):
    """What a placement does to let somebody look."""

    world: int = 1
    rank: int = 0
    device: torch.device
    buffers: Buffers
    _generator: torch.Generator

    def sum(self, value: Any, over: str = "data") -> Any:
        raise NotImplementedError

    def gather(self, pieces: list[Tensor]) -> Tensor:
        raise NotImplementedError

    def put(self, tree: Any) -> Any:
        raise NotImplementedError

    def opened(self, model: nn.Module) -> None:
        """Before the model is called, or a part of it, or one of its methods: what is not gathered by itself is gathered."""

    def evaluate(
        self,
        model: nn.Module,
        fn: Callable[[nn.Module, Batch], dict[str, Any]],
        rows: Any,
        batch_size: int,
        criterion: Criterion,
        weights: dict[str, Tensor] | None = None,
    ) -> dict[str, Any]:
        """`fn(model, batch)` over all `rows` in order, in eval mode, without gradients; nothing that the run owns is moved.

        fn returns tensors to sum over batches and processes, or one-element lists of tensors to concatenate along dim 0.
        batch_size: rows at a time; it begins anew with half of them where they do not fit in memory. criterion: counts denominators.
        weights: parameters and buffers, by name, to look with instead of the model's own. Raises NoMemory.
        """
        size = min(batch_size, max(1, len(rows)))
        look = lambda size: self._evaluated(model, fn, rows, size, criterion.counts, weights)
        return glanced(self, size, look, criterion)

    def _evaluated(
        self,
        model: nn.Module,
        fn: Callable[[nn.Module, Batch], dict[str, Any]],
        rows: Any,
        batch_size: int,
        count: Callable[[Batch], dict[str, Any]],
        weights: dict[str, Tensor] | None,
    ) -> dict[str, Any]:
        from danlu.core import Batch

        plan = Plan(len(rows), batch_size, None, 0, shuffle=False)
        total: dict[str, Any] = {}
        with torch.no_grad(), self.looking(model, weights):
            slots = (slot for step in range(plan.steps_per_epoch) for slot in plan.shard(step, self.rank, self.world))
            for slot, inputs, targets in fetched(rows, plan, slots):
                if slot.empty and self.world == 1:
                    continue
                ids = devices.to(slot.ids, self.device)
                batch = Batch(self.put(inputs), self.put(targets), ids, slot.step, slot.place, slot.last)
                batch.counts = {"rows": len(slot.ids), "once": 1.0, **count(batch)}
                with self.precision.autocast():
                    found = fn(model, batch)
                for key, value in _nothing(found).items() if slot.empty else found.items():
                    total[key] = value if key not in total else total[key] + value
        return {key: self.gather(value) if isinstance(value, list) else self.sum(value) for key, value in total.items()}

    @contextmanager
    def looking(self, model: nn.Module, weights: dict[str, Tensor] | None = None) -> Iterator[None]:
        """Inside, the model is in eval mode and holds `weights`; what it draws or moves is put back afterwards."""
        modes = [(module, module.training) for module in model.modules()]
        model.eval()
        try:
            with self.aside(), self.swapped(model, weights):
                self.opened(model)
                yield
        finally:
            for module, training in modes:
                module.training = training

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Inside, what the model draws or moves of its buffers is put back afterwards."""
        state, seed, ids = self._generator.get_state(), Keyed.seed, Keyed.ids
        Keyed.ids = None
        try:
            with self.buffers.held():
                yield
        finally:
            self._generator.set_state(state)
            Keyed.seed, Keyed.ids = seed, ids

    @contextmanager
    def swapped(self, model: nn.Module, weights: dict[str, Tensor] | None) -> Iterator[None]:
        """Inside, the model holds `weights`; afterwards its own again, bit for bit."""
        own = self.named(model)
        kept = {name: own[name].detach().clone() for name in weights or {} if name in own}  # a stranger is refused by `load_weights`
        try:
            self.load_weights(model, weights or {})
            yield
        finally:
            self.load_weights(model, kept)


def _nothing(found: dict[str, Any]) -> dict[str, Any]:
    """What a slot without rows adds to what was found: the same names, and nothing."""
    return {
        key: [piece[:0] for piece in value] if isinstance(value, list) else torch.zeros_like(value) if isinstance(value, Tensor) else 0
        for key, value in found.items()
    }
