"""Milliseconds an optimiser's step takes beside a reference: python bench/optim.py [--rounds 40] [--only second].

Lion and AdamW (foreach) beside fused AdamW, the others that are danlu's own beside foreach AdamW, on the tensors of a small GPT (3.2 M
parameters in 74 tensors); Muon beside its own matrix products alone. Interleaved, ratios with 95 % intervals, the reference twice (A/A).
Second order is measured in whole training steps of danlu's small CNN (64 images of 28x28), beside SGD, in CPU time: K-FAC at its default
intervals over a hundred steps (ten updates of the factors and one inversion are among them), and with all of it in every step.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import torch
from measure import interleaved, ratio, verdict
from torch import nn

from danlu.core import Recipe, Run, Technique
from danlu.data.source import Data, Facts, Tensors
from danlu.find import find
from danlu.nets.cnn import CNN
from danlu.nets.gpt import Decoder
from danlu.optim.first_order import SGD, AdamW
from danlu.techniques.gradient.kfac import KFAC

NS = (3.4445, -4.775, 2.0315)  # the coefficients of Newton-Schulz (Jordan et al. 2024)


def model() -> nn.Module:
    torch.manual_seed(0)
    made = Decoder(vocab_size=256, context=64, width=192, depth=8, num_heads=6)
    for p in made.parameters():
        p.grad = torch.randn_like(p) * 1e-3
    return made


def stepping(description: Any) -> Callable[[], None]:
    made = model()
    optimizer = description(description.groups(made))
    return lambda: optimizer.step()


def products() -> Callable[[], None]:
    """What Muon cannot do without: fifteen matrix products for each hidden matrix, in bfloat16 as torch does them."""
    made = model()
    from danlu.optim.groups import hidden

    grads = [p.grad for p in hidden(made) if p.grad is not None]

    def multiply() -> None:
        a, b, c = NS
        for grad in grads:
            x = grad.bfloat16()
            x = x.T if x.size(0) > x.size(1) else x
            for _ in range(5):
                gram = x @ x.T
                x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)

    return multiply


def images() -> Data:
    draw = torch.Generator().manual_seed(0)
    x, y = torch.randn(512, 1, 28, 28, generator=draw), torch.randint(10, (512,), generator=draw)
    return Data(Tensors(x, y), Facts("classify", (1, 28, 28), 10, rows=512))


def training(count: int, *techniques: Technique) -> Callable[[], None]:
    """`count` steps of a training that goes on."""
    steps = iter(Run(Recipe(CNN(), images, optimizer=SGD(lr=0.01), techniques=techniques, steps=10**6, batch_size=64, device="cpu")))
    next(steps)

    def train() -> None:
        for _ in range(count):
            next(steps)

    return train


def second_order(rounds: int) -> None:
    every = KFAC(factor_every=1, inverse_every=1)
    print("beside an SGD step of a CNN:")
    blocks = KFAC().inverse_every // 10  # of ten steps, so that arms of a round meet the same weather
    for title, count, parts, technique, bound in (
        ("kfac", 10, blocks, KFAC(), 1.35),
        ("kfac, all of it in every step", 5, 1, every, 8.0),
    ):
        arms = {"base": training(count), "again": training(count), title: training(count, technique)}
        found = interleaved(arms, rounds * parts, warm=1, clock=time.process_time)
        times = {name: [sum(own[at : at + parts]) for at in range(0, len(own), parts)] for name, own in found.items()}
        same = ratio(times["again"], times["base"])
        print(f"  {'SGD (A/A)':32} {same}\n  {title:32} {verdict(ratio(times[title], times['base']), same, bound)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--only", choices=["first", "second"], help="optimisers' own steps, or second order")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.only != "second":
        first_order(given.rounds)
    if given.only != "first":
        second_order(max(2, given.rounds // 4))


def first_order(rounds: int) -> None:
    fused, foreach = (lambda: stepping(AdamW(fused="on"))), (lambda: stepping(AdamW(fused="off")))
    named = lambda name: stepping(find("optimizer", name).load()())
    own = ("lion", "lamb", "schedule_free_adamw", "prodigy", "d_adaptation", "hypergradient", "soap", "shampoo")
    for title, base, arms in (
        ("fused AdamW", fused(), {"AdamW, fused (A/A)": fused(), "AdamW, foreach": foreach(), "lion": named("lion")}),
        ("foreach AdamW", foreach(), {"AdamW, foreach (A/A)": foreach(), **{name: named(name) for name in own}}),
        ("Muon's own products", products(), {"products (A/A)": products(), "muon, with AdamW for the rest": named("muon")}),
    ):
        times = interleaved({"base": base, **arms}, rounds)
        print(f"beside {title}:")
        for name in arms:
            print(f"  {name:32} {ratio(times[name], times['base'])}")


if __name__ == "__main__":
    main()
