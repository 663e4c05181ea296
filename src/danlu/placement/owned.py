"""An optimiser whose work and state are divided by whole weights: each process steps those that it owns, and sends them to the others."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from danlu.run.tree import Encoder, decode


def owners(sizes: list[int], world: int) -> list[int]:
    """Who owns each weight: the largest first, to whoever has least (so that no process has more than the least plus one weight)."""
    load, found = [0] * world, [0] * len(sizes)
    for place in sorted(range(len(sizes)), key=lambda place: -sizes[place]):
        found[place] = min(range(world), key=lambda rank: load[rank])
        load[found[place]] += sizes[place]
    return found


class Owned:
    """`optimizer`, of which this process keeps what belongs to its own weights. Gradients and weights are whole on every process."""

    def __init__(self, optimizer: torch.optim.Optimizer, rank: int, world: int):
        self.optimizer, self.rank, self.world = optimizer, rank, world
        self.weights: list[Tensor] = [p for group in optimizer.param_groups for p in group["params"]]
        self.owner = dict(zip(self.weights, owners([p.numel() for p in self.weights], world)))
        for p in self.weights:
            if not self.owns(p):
                optimizer.state.pop(p, None)  # some make theirs when they are built

    def owns(self, p: Tensor) -> bool:
        return self.owner[p] == self.rank

    def step(self) -> None:
        groups = self.optimizer.param_groups
        every = [list(group["params"]) for group in groups]
        try:
            for group in groups:
                group["params"][:] = [p for p in group["params"] if self.owns(p)]
            self.optimizer.step()
        finally:
            for group, params in zip(groups, every):
                group["params"][:] = params
        self._send()

    @torch.no_grad()
    def _send(self) -> None:
        """What moved, from its owner to all, in one exchange for each type of number."""
        kinds: dict[torch.dtype, list[list[Tensor]]] = {}
        for p in self.weights:
            if p.grad is not None:
                kinds.setdefault(p.dtype, [[] for _ in range(self.world)])[self.owner[p]].append(p)
        for kind, by_owner in kinds.items():
            size = max(sum(p.numel() for p in own) for own in by_owner)
            mine = torch.zeros(size, dtype=kind, device=self.weights[0].device)
            for piece, p in _pieces(mine, by_owner[self.rank]):
                piece.copy_(p)
            everyone = mine.new_empty(self.world * size)
            dist.all_gather_single(everyone, mine)
            for found, own in zip(everyone.split(size), by_owner):
                for piece, p in _pieces(found, own):
                    if not self.owns(p):
                        p.copy_(piece)

    def states(self, everyone: Callable[[Any], list[Any]], keep: bool) -> dict[Tensor, dict[str, Any]]:
        """What all processes keep, by weight; each sends its own, one tensor after another. keep: else nothing is kept of what comes."""
        encoder = Encoder()
        plain = {str(place): self.optimizer.state[p] for place, p in enumerate(self.weights) if p in self.optimizer.state}
        form = encoder.encode(plain)
        sent = {name: tensor for tensors in encoder.files.values() for name, tensor in tensors.items()}
        described = {name: [str(t.dtype).removeprefix("torch."), list(t.shape), t.device.type] for name, t in sent.items()}
        found: dict[Tensor, dict[str, Any]] = {}
        for rank, (text, kinds) in enumerate(everyone([json.dumps(form), described])):
            tensors: dict[str, Tensor] = {}
            for name, (kind, shape, where) in kinds.items():
                device = self.weights[0].device if where != "cpu" else torch.device("cpu")
                tensor = sent[name].contiguous() if rank == self.rank else torch.empty(shape, dtype=getattr(torch, kind), device=device)
                dist.broadcast(tensor, rank)
                if keep:
                    tensors[name] = tensor if rank == self.rank else tensor.cpu()
            if keep:
                values = decode(json.loads(text), {"model": {}, "state": tensors}) if rank != self.rank else plain
                found |= {self.weights[int(place)]: value for place, value in values.items()}
        return {p: found[p] for p in self.weights if p in found}


def _pieces(flat: Tensor, weights: list[Tensor]) -> list[tuple[Tensor, Tensor]]:
    """The places of `weights` in the flat tensor in which they travel, in their shapes."""
    sizes = [p.numel() for p in weights]
    return [(piece.view(p.shape), p) for piece, p in zip(flat[: sum(sizes)].split(sizes), weights)]
