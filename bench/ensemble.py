"""Steps of many digit-sized MLPs as one program, beside separate runs of danlu and separate hand-written loops. 1 thread,
in CPU seconds.

    python bench/ensemble.py [--rounds 20] [--members 32]

Every arm does the same number of steps of the same 32 models (64-64-10 on digits) in each round. The hand-written loop was frozen
before the engine was tuned against it: a shuffled order each epoch, torch's optimiser with fused kernels, a check for a non-finite
gradient. A speed-up is (time of an arm) / (time of the ensemble), paired by round, with its 95 % interval; the bound holds when the
lower end is above it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from measure import interleaved, ratio
from torch import nn

from danlu.core import Recipe
from danlu.data.bundled import Digits
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD, AdamW
from danlu.study.ensemble import built, started, steps, sweep

STEPS, BOUND = 25, 8.0


def by_hand(seed: int, x: torch.Tensor, y: torch.Tensor, batch: int, make: Callable[..., torch.optim.Optimizer]) -> Iterator[None]:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    parameters = list(model.parameters())
    optimizer, one = make(parameters), torch.ones(())
    while True:
        order = torch.randperm(len(x))
        for start in range(0, len(x), batch):
            ids = order[start : start + batch]
            loss = F.cross_entropy(model(x[ids]), y[ids])
            optimizer.zero_grad()
            loss.backward()
            found = torch.zeros(())
            torch._amp_foreach_non_finite_check_and_unscale_([p.grad for p in parameters], found, one)
            if found.item() == 0:
                optimizer.step()
            yield


def advance(iterators: list[Iterator[Any]]) -> Callable[[], None]:
    def block() -> None:
        for iterator in iterators:
            for _ in range(STEPS):
                next(iterator)

    return block


def compare(members: int, batch: int, optimizer: Any, make: Callable[..., torch.optim.Optimizer], rounds: int, rates: int = 1) -> None:
    recipe = Recipe(model=MLP(hidden=(64,)), data=Digits(), optimizer=optimizer, steps=10**9, batch_size=batch, validate=False)
    recipes = sweep(recipe, seeds=range(members // rates), **{"optimizer.lr": [optimizer.lr * 0.9**k for k in range(rates)]})

    def program() -> Iterator[Any]:
        runs = list(built(recipes))
        return steps(runs, started(runs))

    own = list(built(recipes))
    x, y = own[0].data.train.content()
    arms = {
        "ensemble": advance([program()]),
        "ensemble, again": advance([program()]),
        "runs": advance([iter(run) for run in own]),
        "by hand": advance([by_hand(seed, x, y, batch, make) for seed in range(members)]),
    }
    times = interleaved(arms, rounds, warm=6, clock=time.process_time)  # a program is traced when it has seen a hundred batches
    same = ratio(times["ensemble, again"], times["ensemble"])
    rate = members * STEPS / sorted(times["ensemble"])[rounds // 2]
    print(f"{members} MLPs, batch {batch}, {type(optimizer).__name__}, rates: {rates}: {rate:,.0f} model-steps a CPU second (median)")
    print(f"  A/A  ensemble / itself      {same}")
    for arm, name in (("runs", "separate runs"), ("by hand", "separate loops by hand")):
        found = ratio(times[arm], times["ensemble"])
        print(f"  A/B  {name:22s} {found}  bound {BOUND:.0f}: {'holds' if found.low >= BOUND else 'DOES NOT HOLD'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--members", type=int, default=32)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for batch in (32, 64):
        compare(asked.members, batch, SGD(lr=0.1), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, fused=True), asked.rounds)
        compare(asked.members, batch, AdamW(), lambda p: torch.optim.AdamW(p, lr=1e-3, fused=True), asked.rounds)
    compare(asked.members, 32, SGD(lr=0.1), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, fused=True), asked.rounds, rates=8)
    compare(asked.members, 32, AdamW(), lambda p: torch.optim.AdamW(p, lr=1e-3, fused=True), asked.rounds, rates=8)
