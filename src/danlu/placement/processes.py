"""The processes of a training: who they are, as whatever started them says in the environment, and what all of them agree on.

Understood are the variables of torchrun, of `danlu launch` (the same ones), of accelerate (the same too) and of Slurm's srun.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple

import torch
import torch.distributed as dist

from danlu import messages
from danlu.errors import BadInput, Lost


class Seat(NamedTuple):
    """One process among many. local: its number on its machine."""

    rank: int
    world: int
    local: int


def seat(environment: Mapping[str, str] = os.environ) -> Seat:
    """This process's place; a process that nobody started with others is alone. Raises BadInput for numbers that cannot be."""
    for rank, world, local in (("RANK", "WORLD_SIZE", "LOCAL_RANK"), ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID")):
        if rank in environment and world in environment:
            try:
                found = Seat(int(environment[rank]), int(environment[world]), int(environment.get(local, "0")))
            except ValueError:
                found = Seat(-1, 0, 0)
            if not 0 <= found.rank < found.world:
                raise BadInput(messages.NO_SEAT, rank=rank, found=environment[rank], world=world, of=environment[world])
            if found.world > 1 and not ("MASTER_ADDR" in environment and "MASTER_PORT" in environment):
                raise BadInput(messages.NO_MEETING, world=found.world)
            return found
    return Seat(0, 1, 0)


def join(device: torch.device, timeout: float = 1800.0) -> Seat:
    """Meet the other processes, once; a process alone meets nobody. timeout: seconds that any exchange may take."""
    if dist.is_initialized():
        return Seat(dist.get_rank(), dist.get_world_size(), int(os.environ.get("LOCAL_RANK", "0")))
    found = seat()
    if found.world > 1:
        backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
        atexit.register(leave)  # the threads of an exchange must be joined before the interpreter ends
        dist.init_process_group(backend, rank=found.rank, world_size=found.world, timeout=timedelta(seconds=timeout))
    return found


@contextmanager
def together() -> Iterator[None]:
    """Inside, a process whose partner is gone raises Lost. All part at the end, while the first, whom they met through, is there."""
    try:
        yield
        if dist.is_available() and dist.is_initialized():
            dist.barrier()
    except RuntimeError as error:
        if dist.is_available() and dist.is_initialized() and (isinstance(error, dist.DistError) or "gloo" in str(error)):
            raise Lost(messages.PROCESS_LOST, rank=dist.get_rank(), reason=" ".join(str(error).split())[:200]) from error
        raise


def leave() -> None:
    """Part from the other processes, if they were met."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()
