"""What a step holds and how long it takes, with and without what saves memory: python bench/memory.py [--rounds 9]

Checkpointing: a GPT of 12 blocks of width 128 over 8 sequences of 256 bytes. Chunked loss: a GPT of 2 blocks of width 128 with a vocabulary
of 32,768 over 4 sequences of 256. Each arm is danlu's whole look at the gradient, forward and backward, after one that warms up.

peak: bytes allocated at once while a look goes on, above what was there before it, from the profiler's record of every allocation.
kept: bytes that autograd keeps from the forward pass for the backward pass, weights and batch not counted (`danlu.cost.activations`).
time: the processor's, arms interleaved in random order, on one thread, as ratios to the plain arm with 95 % intervals; the plain arm is
there twice.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch
from measure import interleaved, ratio, verdict
from torch.profiler import ProfilerActivity, profile

from danlu.core import Recipe, Run
from danlu.cost import activations
from danlu.data.source import Data, Facts, Tensors
from danlu.losses.chunked import ChunkedCrossEntropy
from danlu.nets.gpt import GPT
from danlu.optim.first_order import SGD
from danlu.techniques.model.activation_checkpointing import ActivationCheckpointing
from danlu.testing.compare import next_batches

MB = 1e6


def run_of(net: GPT, vocab: int, rows: int, loss: object = "auto", *techniques: object) -> Run:
    tokens = torch.randint(0, vocab, (rows, 256), generator=torch.Generator().manual_seed(0))
    data = Data(Tensors(tokens, tokens.roll(-1, 1)), Facts("language", (256,), vocab, vocab=vocab, rows=rows))
    return Run(Recipe(net, lambda: data, loss, optimizer=SGD(), techniques=techniques, steps=1, batch_size=rows, device="cpu"))


def look_of(run: Run) -> Callable[[], None]:
    batches = next_batches(run)

    def look() -> None:
        run.gradient(run.objective, batches)

    look()
    return look


def peak(look: Callable[[], None]) -> int:
    """The most bytes that a look has allocated at once."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        look()
    now = most = 0
    for event in profiled.profiler.kineto_results.events():
        if event.name() == "[memory]":
            now += event.nbytes()
            most = max(most, now)
    return most


def table(arms: dict[str, Run], rounds: int, arm: str, share: float, slower: float | None) -> None:
    """arm: whose peak is to be at most `share` of the first arm's, in at most `slower` times its time."""
    looks = {name: look_of(run) for name, run in arms.items()}
    first = next(iter(arms))
    peaks = {name: peak(look) for name, look in looks.items()}
    kept = {name: activations(run, next_batches(run)[0]) for name, run in arms.items()}
    times = interleaved({**looks, f"{first} again": looks[first]}, rounds, clock=time.process_time)
    ratios = {name: ratio(seconds, times[first]) for name, seconds in times.items()}
    print(f"{'':20}{'peak MB':>10}{'share':>8}{'kept MB':>10}   time [95 %]")
    for name in looks:
        print(f"{name:20}{peaks[name] / MB:10.1f}{peaks[name] / peaks[first]:8.3f}{kept[name] / MB:10.1f}   {ratios[name]}")
    print(f"{first + ' again':48}   {ratios[first + ' again']}")
    found = peaks[arm] / peaks[first]
    print(f"{arm}: peak {found:.3f}  bound {share:.2f}: {'holds' if found <= share else 'DOES NOT HOLD'}")
    if slower is not None:
        print(f"{arm}: time {verdict(ratios[arm], ratios[first + ' again'], slower)}")
    for run in arms.values():
        run.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    deep = GPT(width=128, depth=12, heads=4)
    again = ActivationCheckpointing
    print("activation checkpointing")
    table(
        {
            "plain": run_of(deep, 256, 8),
            "all blocks": run_of(deep, 256, 8, "auto", again()),
            "products kept": run_of(deep, 256, 8, "auto", again(keep="products")),
            "budget of 60 MiB": run_of(deep, 256, 8, "auto", again(budget=60.0)),
        },
        rounds, "all blocks", 0.2, 1.4,
    )  # fmt: skip
    wide = GPT(width=128, depth=2, heads=4)
    print("\ncross-entropy over 32,768 tokens")
    table(
        {
            "plain": run_of(wide, 32768, 4),
            "chunks of 256": run_of(wide, 32768, 4, ChunkedCrossEntropy(chunk=256)),
            "chunks of 64": run_of(wide, 32768, 4, ChunkedCrossEntropy(chunk=64)),
        },
        rounds, "chunks of 64", 0.25, None,
    )  # fmt: skip


if __name__ == "__main__":
    main()
