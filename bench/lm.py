"""Tokens a second of small GPTs in danlu, beside a hand-written PyTorch loop of the same model and the matrix peak measured meanwhile.

    python bench/lm.py [--threads 2] [--quick]

The hand-written loop was frozen before danlu was tuned against it: windows cut beforehand and kept on the device, AdamW with the same
settings and its fused kernel, the same autocast, gradients set to None, and the cheapest check for a non-finite gradient that torch has
(one fused kernel and one host read). danlu runs its defaults: rows cut anew each epoch from a text in memory, guard on, random streams
on. Peak: one large matrix product in the same type, in turn with the others. A token's operations, counted as Chowdhery et al. 2022 do
(PaLM, appendix B): 6 N + 12 L D T, for N weights in matrix products (the head is one, looking an embedding up is none), L layers of width
D, and T tokens of a window; attention is counted in full although it is causal. Exit code 1 when a bound does not hold, or a loop
strays by 5 % from itself, so that nothing is told.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from measure import Ratio, holds, interleaved, ratio
from torch import Tensor, nn

from danlu.core import Recipe, Run
from danlu.data.source import Data, Facts
from danlu.data.text import Windows
from danlu.nets.gpt import GPT
from danlu.optim.first_order import AdamW

DEVICE = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
BOUND = 1 / 0.98  # of the hand-written seconds: 0.98 of its tokens a second


@dataclass(frozen=True)
class Size:
    """A model and its batch; on a CPU a block of `steps` takes a fraction of a second, and an accelerator gets more of both."""

    net: GPT
    vocab: int
    length: int
    batch: int
    steps: int

    @property
    def rows(self) -> int:
        return self.batch if DEVICE.type == "cpu" else 32 * self.batch

    @property
    def block(self) -> int:
        return self.steps if DEVICE.type == "cpu" else 10 * self.steps

    @property
    def facts(self) -> Facts:
        return Facts("language", (self.length,), self.vocab, vocab=self.vocab)


SIZES = {
    "0.8M": Size(GPT(width=128, depth=4, heads=4, tied=True), vocab=66, length=128, batch=16, steps=2),
    "10M": Size(GPT(width=384, depth=6, heads=6, tied=True), vocab=66, length=256, batch=2, steps=1),
}


def text(size: Size) -> Tensor:
    """A random text of 256 steps and a bit, token by token."""
    return torch.randint(0, size.vocab, (size.length * (256 * size.rows + 1),), generator=torch.Generator().manual_seed(0))


def by_hand(size: Size, precision: str) -> Iterator[None]:
    tokens, length = text(size), size.length
    rows = (len(tokens) - 1) // length
    inputs = tokens[: rows * length].view(rows, length).to(DEVICE)
    targets = tokens[1 : rows * length + 1].view(rows, length).to(DEVICE)
    model = size.net(size.facts).to(DEVICE)
    matrices = [
        p for module in model.modules() if isinstance(module, nn.Linear) for p in module.parameters() if p is not model.embed_tokens.weight
    ]
    others = [p for p in model.parameters() if all(p is not q for q in matrices)]
    groups = [{"params": matrices, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, fused=True)
    one = torch.ones((), device=DEVICE)
    while True:
        order = torch.randperm(rows, device=DEVICE)
        for start in range(0, rows - size.rows + 1, size.rows):
            ids = order[start : start + size.rows]
            with torch.autocast(DEVICE.type, torch.bfloat16) if precision == "bf16" else nullcontext():
                logits = model(inputs[ids])
                loss = F.cross_entropy(logits.view(-1, size.vocab), targets[ids].view(-1))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            found = torch.zeros((), device=DEVICE)
            torch._amp_foreach_non_finite_check_and_unscale_([p.grad for p in model.parameters()], found, one)
            if found.item() == 0:
                optimizer.step()
            yield


def danlu(size: Size, precision: str) -> Iterator[object]:
    rows = Windows(text(size).to(torch.uint16), size.length, move=True)
    recipe = Recipe(
        model=size.net, data=lambda: Data(rows, size.facts), optimizer=AdamW(), steps=10**9, batch_size=size.rows, precision=precision,
        device=str(DEVICE),
    )  # fmt: skip
    return iter(Run(recipe))


def synchronize() -> None:
    if DEVICE.type != "cpu":
        torch.accelerator.synchronize()


def block(steps: Iterator[object], length: int) -> Callable[[], None]:
    def run() -> None:
        for _ in range(length):
            next(steps)
        synchronize()

    return run


def products(precision: str) -> tuple[Callable[[], None], float]:
    """Large square matrix products, and how many operations they are."""
    side, times = (2048, 1) if DEVICE.type == "cpu" else (8192, 20)
    a, b = torch.randn(2, side, side, device=DEVICE, dtype=torch.bfloat16 if precision == "bf16" else torch.float32)
    out = torch.empty_like(a)

    def run() -> None:
        for _ in range(times):
            torch.mm(a, b, out=out)
        synchronize()

    return run, 2.0 * side**3 * times


def operations(size: Size) -> float:
    """Of one token, forward and backward: 6 N + 12 L D T."""
    model = size.net(size.facts)
    weights = sum(module.weight.numel() for module in model.modules() if isinstance(module, nn.Linear))
    return 6.0 * weights + 12.0 * size.net.depth * size.net.width * size.length


def compare(name: str, size: Size, precision: str, rounds: int) -> bool:
    """Measure and print one model in one precision; whether the bound holds."""
    multiply, work = products(precision)
    arms = {
        "hand": block(by_hand(size, precision), size.block),
        "again": block(by_hand(size, precision), size.block),
        "danlu": block(danlu(size, precision), size.block),
        "product": multiply,
    }
    times = interleaved(arms, rounds, warm=2)
    tokens = size.rows * size.length * size.block
    same, found = ratio(times["again"], times["hand"]), ratio(times["danlu"], times["hand"])
    strays = max(abs(same.low - 1), abs(same.high - 1))
    good = strays < 0.05 and holds(found, same, BOUND)
    verdict = "holds" if good else "DOES NOT HOLD" if strays < 0.05 else "NOT TOLD: too many others use this machine"

    def rate(arm: str) -> float:
        return tokens / statistics.median(times[arm])

    def share(arm: str) -> Ratio:
        """Of the peak: operations a second of the arm over those of the product."""
        own = [t / (operations(size) * tokens) for t in times[arm]]
        return ratio([t / work for t in times["product"]], own)

    parameters = sum(p.numel() for p in size.net(size.facts).parameters())
    shape = f"{size.rows} rows of {size.length} tokens, {rounds} blocks of {size.block} steps"
    print(f"{name} ({parameters / 1e6:.2f}M parameters), {precision}, {shape}")
    print(f"  tokens a second      hand {rate('hand'):,.0f}, danlu {rate('danlu'):,.0f}")
    print(f"  A/A  hand / itself   {same}")
    print(f"  A/B  danlu / hand    {found} of its time; bound {BOUND:.3f}: {verdict}")
    peak = work / statistics.median(times["product"]) / 1e9
    print(f"  of the peak          danlu {share('danlu')}, hand {share('hand')}; the product: {peak:,.0f} GFLOP/s", flush=True)
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="a fifth of the rounds: wide intervals")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    print(f"{DEVICE}, torch {torch.__version__}, {asked.threads} threads")
    rounds = 8 if asked.quick else 40
    held = [compare(name, size, precision, rounds) for name, size in SIZES.items() for precision in ("fp32", "bf16")]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
