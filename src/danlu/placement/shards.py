"""Tensors that lie in parts: the rows of each are divided over processes, as torch's fully_shard and DTensor divide them.

Process r of n holds rows r * k to (r + 1) * k, where k = ceil(rows / n): the last ones may hold fewer, or none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from danlu import messages
from danlu.errors import BadInput


def is_parted(value: Any) -> bool:
    """Whether a value is a tensor of which this process holds a part (asked without importing DTensor, which takes seconds)."""
    return isinstance(value, Tensor) and hasattr(value, "device_mesh")


def held(tensor: Tensor) -> Tensor:
    """What this process holds, as an ordinary tensor in the same memory. Can be differentiated."""
    local: Tensor = tensor.to_local() if is_parted(tensor) else tensor  # type: ignore[attr-defined]
    return local


def by_rows(tensor: Any) -> Any:
    """A parted tensor with its rows divided over the last axis, as weights are: what an operation made may lie otherwise."""
    from torch.distributed.tensor import Replicate, Shard

    rows = (*[Replicate()] * (tensor.device_mesh.ndim - 1), Shard(0))
    return tensor if tensor.placements == rows else tensor.redistribute(placements=rows)


def like(local: Tensor, whole: Any) -> Tensor:
    """`local` as this process's part of a tensor that has the shape and lies in parts as `whole` does; the memory is shared."""
    from torch.distributed.tensor import DTensor

    return DTensor.from_local(local, whole.device_mesh, whole.placements, run_check=False, shape=whole.shape, stride=whole.stride())


def part(whole: Tensor, of: Any) -> Tensor:
    """This process's rows of a tensor that is whole on it, if it is divided as `of` is: a view."""
    mesh = of.device_mesh
    rank, ranks = mesh.get_local_rank(mesh.ndim - 1), mesh.size(mesh.ndim - 1)  # rows are divided over the last axis
    rows = -(-whole.shape[0] // ranks)
    return whole[rank * rows : (rank + 1) * rows]


@torch.no_grad()
def together(tensors: Sequence[Any]) -> list[Tensor]:
    """Each of them whole, on every process, in one exchange for each type of number; what is whole already stays as it is."""
    found: list[Tensor] = list(tensors)
    kinds: dict[torch.dtype, list[int]] = {}
    for place, tensor in enumerate(tensors):
        if is_parted(tensor) and tensor.ndim == 0:
            found[place] = tensor.full_tensor()
        elif is_parted(tensor):
            kinds.setdefault(tensor.dtype, []).append(place)
    for places in kinds.values():
        parted = [by_rows(tensors[place]) for place in places]
        for place, tensor in zip(places, _exchanged(parted)):
            found[place] = tensor
    return found


def _exchanged(tensors: list[Any]) -> list[Tensor]:
    mesh = tensors[0].device_mesh
    ranks, group = mesh.size(mesh.ndim - 1), mesh.get_group(mesh.ndim - 1)
    rows = [-(-tensor.shape[0] // ranks) for tensor in tensors]
    sizes = [count * tensor.shape[1:].numel() for count, tensor in zip(rows, tensors)]
    mine = held(tensors[0]).new_zeros(sum(sizes))
    for piece, tensor in zip(mine.split(sizes), tensors):
        own = held(tensor).reshape(-1)
        piece[: own.numel()] = own
    everyone = mine.new_empty(ranks, sum(sizes))
    dist.all_gather_single(everyone.view(-1), mine, group=group)
    return [
        piece.reshape(ranks * count, *tensor.shape[1:])[: tensor.shape[0]].clone(memory_format=torch.contiguous_format)
        for piece, count, tensor in zip(everyone.split(sizes, 1), rows, tensors)
    ]


def mapped(fn: Callable[[Any], Any], tree: Any) -> Any:
    """A tree of dicts, lists and tuples with `fn` of every tensor that lies in parts."""
    if isinstance(tree, dict):
        return {key: mapped(fn, value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(mapped(fn, value) for value in tree)
    return fn(tree) if is_parted(tree) else tree


class Joined(torch.autograd.Function):
    """Forward sums over the parts of the weights; backward over all processes, each of which has the sum in its loss."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, forward: Any, backward: Any) -> Tensor:
        ctx.total = backward
        found: Tensor = forward(value)
        return found

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        return ctx.total(grads[0].contiguous()), None, None


@cache
def mesh(device: str, world: int, shard: int) -> Any:
    """The processes as copies (rows) of parts (columns). Made once: the groups of processes stay."""
    from torch.distributed.device_mesh import init_device_mesh

    if world % shard:
        raise BadInput(messages.NO_DIVISOR, shard=shard, world=world)
    if shard == world:
        return init_device_mesh(device, (world,), mesh_dim_names=("shard",))
    return init_device_mesh(device, (world // shard, shard), mesh_dim_names=("copies", "shard"))
