"""Microseconds a step of the loop over hand-written PyTorch: MLP 64-64-10, batch 32, rows in memory, 1 thread.

    python bench/loop.py [--rounds 60]

The hand-written loops were frozen before danlu was tuned against them: SGD with momentum as torch gives it, a shuffled order each epoch,
and, in the guarded one, the cheapest check for a non-finite gradient that torch has (one fused kernel). danlu runs its defaults: guard
on, random streams on, fused kernels where torch has right ones.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from measure import interleaved, ratio, verdict
from torch import nn

from danlu.core import Recipe, Run, Technique
from danlu.data.source import Data, Facts, Tensors
from danlu.optim.first_order import SGD
from danlu.run.train import train
from danlu.techniques.reports.checkpoint import Checkpoint

ROWS, BATCH, BLOCK = 4096, 32, 100
X, Y = torch.randn(ROWS, 64), torch.randint(0, 10, (ROWS,))


def net() -> nn.Module:
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def by_hand(guard: bool, fused: bool | None = None) -> Iterator[None]:
    model = net()
    parameters = list(model.parameters())
    optimizer = torch.optim.SGD(parameters, lr=0.1, momentum=0.9, fused=fused)
    one = torch.ones(())
    while True:
        order = torch.randperm(ROWS)
        for start in range(0, ROWS, BATCH):
            ids = order[start : start + BATCH]
            loss = F.cross_entropy(model(X[ids]), Y[ids])
            optimizer.zero_grad()
            loss.backward()
            found = torch.zeros(())
            if guard:
                torch._amp_foreach_non_finite_check_and_unscale_([p.grad for p in parameters], found, one)
            if not guard or found.item() == 0:
                optimizer.step()
            yield


class PassThrough(Technique):
    """A technique that wraps the four seams of a step and changes nothing."""

    def wrap_objective(self, objective, run):
        return lambda model, batch: objective(model, batch)

    def wrap_gradient(self, gradient, run):
        return lambda objective, batches: gradient(objective, batches)

    def wrap_update(self, update, run):
        return lambda evaluate: update(evaluate)

    def wrap_reports(self, reports, run):
        yield from reports


def rows() -> Data:
    facts = Facts("classify", (64,), 10, rows=ROWS)
    return Data(Tensors(X, Y), facts, val=Tensors(X[:512], Y[:512]))


def recipe(steps: int = 10**9, *techniques: Technique, fused: str = "auto", validate: object = False) -> Recipe:
    return Recipe(
        model=net, data=rows, optimizer=SGD(lr=0.1, momentum=0.9, fused=fused), steps=steps, batch_size=BATCH,
        techniques=techniques, validate=validate, device="cpu",
    )  # fmt: skip


def block(steps: Iterator[object]) -> Callable[[], None]:
    def run() -> None:
        for _ in range(BLOCK):
            next(steps)

    return run


def bare(rounds: int) -> None:
    arms = {
        "hand": block(by_hand(guard=False)),
        "hand, guarded": block(by_hand(guard=True)),
        "hand, guarded, again": block(by_hand(guard=True)),
        "hand, guarded, fused": block(by_hand(guard=True, fused=True)),
        "danlu": block(iter(Run(recipe()))),
        "danlu, not fused": block(iter(Run(recipe(fused="off")))),
        "danlu + 30 pass-through": block(iter(Run(recipe(10**9, *[PassThrough() for _ in range(30)])))),
    }
    times = interleaved(arms, rounds)
    print(f"microseconds a step (median of {rounds} blocks of {BLOCK} steps)")
    for name, spent in times.items():
        print(f"  {name:26s}{statistics.median(spent) / BLOCK * 1e6:8.1f}")
    same = ratio(times["hand, guarded, again"], times["hand, guarded"])
    print(f"A/A  hand guarded / itself           {same}")
    print(f"A/B  danlu / hand, guarded           {verdict(ratio(times['danlu'], times['hand, guarded']), same, 1.05)}")
    print(f"A/B  danlu / hand, no guard          {ratio(times['danlu'], times['hand'])}")
    print(f"A/B  danlu / hand, guarded, fused    {ratio(times['danlu'], times['hand, guarded, fused'])}")
    print(f"A/B  danlu not fused / hand, guarded {ratio(times['danlu, not fused'], times['hand, guarded'])}")
    each = [(a - b) / BLOCK / 30 * 1e6 for a, b in zip(times["danlu + 30 pass-through"], times["danlu"])]
    print(f"a pass-through technique adds {statistics.median(each):.2f} us a step (bound 2)")


def with_files(rounds: int, steps: int = 2000) -> None:
    """Validation and a synchronous save every 1000 steps, tracking every 10, against the guarded hand-written loop without any."""
    from danlu.techniques.reports.validate import Validate

    spent: dict[str, list[float]] = {"hand": [], "again": [], "danlu": []}
    for _ in range(rounds):
        for name in ("hand", "again"):
            loop = by_hand(guard=True)
            next(loop)
            start = time.perf_counter()
            for _ in range(steps):
                next(loop)
            spent[name].append(time.perf_counter() - start)
        with tempfile.TemporaryDirectory() as folder:
            marks: list[float] = []
            described = recipe(steps + 1, Checkpoint(every=1000), validate=Validate(every=1000))
            train(described, f"{folder}/run", every=10, watchers=[lambda report, run, marks=marks: marks.append(time.perf_counter())])
            spent["danlu"].append(marks[-1] - marks[0])
    same = ratio(spent["again"], spent["hand"])
    print(f"A/A  hand guarded / itself           {same}")
    print(f"A/B  danlu with files / hand guarded {verdict(ratio(spent['danlu'], spent['hand']), same, 1.15)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    bare(asked.rounds)
    with_files(max(3, asked.rounds // 6))
