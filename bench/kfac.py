"""What K-FAC costs beside an SGD step: python bench/kfac.py [--rounds 10].

Whole training steps of danlu's small CNN (64 images of 28x28), in CPU time, interleaved, ratios with 95 % intervals, SGD twice (A/A): at
K-FAC's default intervals over a hundred steps (ten updates of the factors and one inversion are among them), and with all of it in every
step.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch
from measure import interleaved, ratio, verdict

from danlu.core import Recipe, Run, Technique
from danlu.data.source import Data, Facts, Tensors
from danlu.nets.cnn import CNN
from danlu.optim.first_order import SGD
from danlu.techniques.gradient.kfac import KFAC


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    every = KFAC(factor_every=1, inverse_every=1)
    blocks = KFAC().inverse_every // 10  # of ten steps, so that arms of a round meet the same weather
    for title, count, parts, technique, bound in (
        ("kfac", 10, blocks, KFAC(), 1.35),
        ("kfac, all of it in every step", 5, 1, every, 8.0),
    ):
        arms = {"base": training(count), "again": training(count), title: training(count, technique)}
        found = interleaved(arms, rounds * parts, warm=1, clock=time.process_time)
        times = {name: [sum(own[at : at + parts]) for at in range(0, len(own), parts)] for name, own in found.items()}
        same = ratio(times["again"], times["base"])
        print(f"{'SGD (A/A)':32} {same}\n{title:32} {verdict(ratio(times[title], times['base']), same, bound)}", flush=True)


if __name__ == "__main__":
    main()
