"""A step on two processes: danlu's placements beside hand-written loops of torch's DistributedDataParallel and of its FSDP2, in one run.

    python bench/scale.py [--rounds 30] [--world 2] [--only fsdp]

The same processes take turns: a block of danlu, a block of the hand-written loop, in an order that is drawn anew every round and is the
same everywhere; twice by hand, which shows what the machine strays. The hand-written loop is that of bench/lm.py around
DistributedDataParallel (buckets of 25 MB), or with fully_shard on each block and on the model; with the same guard and a sum of the loss
over the processes, which any log needs (for FSDP2 the guard, too, is summed: a process sees its own parts only). On a CPU with
as many cores as processes this is weak evidence: gloo shares the cores that compute. Exit code 1 when the bound does not hold.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from lm import SIZES, Size, text
from measure import holds, interleaved, ratio

from danlu.core import Recipe, Run
from danlu.data.source import Data
from danlu.data.text import Windows
from danlu.optim.first_order import AdamW
from danlu.placement.ddp import DDP
from danlu.placement.fsdp import FSDP
from danlu.testing.ranks import Ranks

BOUND = 1.05
PLACEMENTS = {"ddp": DDP(), "fsdp": FSDP()}
ROWS = {"0.8M": 16, "10M": 4}  # in a step, over all processes


def by_hand(size: Size, rows: int, kind: str) -> Iterator[None]:
    import torch.distributed as dist

    rank, world, length = dist.get_rank(), dist.get_world_size(), size.length
    tokens = text(size)
    count = (len(tokens) - 1) // length
    inputs = tokens[: count * length].view(count, length)
    targets = tokens[1 : count * length + 1].view(count, length)
    torch.manual_seed(0)
    model = size.net(size.facts)
    wrapped = sharded(model, world) if kind == "fsdp" else torch.nn.parallel.DistributedDataParallel(model)
    matrices = [
        p
        for module in model.modules()
        if isinstance(module, torch.nn.Linear)
        for p in module.parameters()
        if p is not model.embed_tokens.weight
    ]
    others = [p for p in model.parameters() if all(p is not q for q in matrices)]
    groups = [{"params": matrices, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, fused=True)
    one, order = torch.ones(()), torch.Generator().manual_seed(0)
    while True:
        shuffled = torch.randperm(count, generator=order)
        for start in range(0, count - rows + 1, rows):
            ids = shuffled[start : start + rows].chunk(world)[rank]
            loss = F.cross_entropy(wrapped(inputs[ids]).view(-1, size.vocab), targets[ids].view(-1))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            found = torch.zeros(())
            grads = [p.grad.to_local() if kind == "fsdp" else p.grad for p in model.parameters()]
            torch._amp_foreach_non_finite_check_and_unscale_(grads, found, one)
            total = torch.stack([loss.detach(), found])
            dist.all_reduce(total if kind == "fsdp" else total[:1])
            if total[1].item() == 0:
                optimizer.step()
            yield


def sharded(model: torch.nn.Module, world: int) -> torch.nn.Module:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh("cpu", (world,))
    for block in model.layers:
        fully_shard(block, mesh=mesh)
    return fully_shard(model, mesh=mesh)


def ours(size: Size, rows: int, kind: str) -> Iterator[object]:
    data = Windows(text(size).to(torch.uint16), size.length, move=True)
    recipe = Recipe(size.net, lambda: Data(data, size.facts), optimizer=AdamW(), steps=10**9, batch_size=rows, device="cpu")
    return iter(Run(replace(recipe, placement=PLACEMENTS[kind])))


def measured(name: str, rounds: int, kind: str) -> dict[str, list[float]]:
    """Seconds of each arm in each round, on one of the processes, all of which do the same."""
    size, rows = SIZES[name], ROWS[name]
    loops: dict[str, Any] = {"danlu": ours(size, rows, kind), "by hand": by_hand(size, rows, kind), "again": by_hand(size, rows, kind)}

    def block(loop: Iterator[object]) -> Any:
        def taken() -> None:
            for _ in range(size.steps):
                next(loop)

        return taken

    return interleaved({arm: block(loop) for arm, loop in loops.items()}, rounds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--world", type=int, default=2)
    parser.add_argument("--only", choices=PLACEMENTS, action="append")
    given = parser.parse_args()
    good = True
    print(f"{given.world} processes, 1 thread each, gloo; a step over that by hand (and by hand again): bound {BOUND}")
    for kind in given.only or PLACEMENTS:
        for name in SIZES:
            with Ranks(given.world, seconds=3000) as ranks:
                times = ranks.call(measured, name, given.rounds, kind)[0]
            found, same = ratio(times["danlu"], times["by hand"]), ratio(times["again"], times["by hand"])
            good &= holds(found, same, BOUND)
            step = statistics.median(times["by hand"]) / SIZES[name].steps
            verdict = "holds" if holds(found, same, BOUND) else "DOES NOT HOLD"
            print(
                f"{kind} {name:5s} {ROWS[name]} rows a step, {step * 1e3:.0f} ms by hand: {found}, by hand again {same}: {verdict}",
                flush=True,
            )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
