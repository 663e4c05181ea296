"""Does the best learning rate of a narrow net serve a wide one? MLPs on digits, in the usual parametrisation and in muP. CPU, 1 thread.

    python bench/mup.py [--widths 32,128,512] [--rates 10] [--seeds 5] [--steps 200] [--out build/mup]

Every net has three hidden layers and is trained by AdamW with a constant rate on batches of 64; what is compared is the training loss, the
mean over the last tenth of the steps. A net's best rate is that of the lowest mean over seeds. Transfer loses what the widest net's loss is
above its own best when it is trained at the best rate of the narrowest. Writes mup.svg pictures in both languages and mup.json.
"""

from __future__ import annotations

import argparse
import json
import time
from math import log10
from pathlib import Path
from statistics import fmean, stdev

import torch

from danlu.core import Recipe, Run
from danlu.data.bundled import Digits
from danlu.errors import Sentence
from danlu.nets.mlp import MLP
from danlu.optim.first_order import AdamW
from danlu.study.figure import Axes, Curve, draw
from danlu.techniques.model.mup import MuP

TITLES = {
    "usual": Sentence("usual parametrisation", "通常的参数化"),
    "mup": Sentence("muP, rates found at width {base}", "muP（在宽度 {base} 上调参）"),
}


def trained(width: int, rate: float, seed: int, steps: int, base: int | None) -> float | None:
    """The training loss at the end; None where it is not finite."""
    techniques = () if base is None else (MuP(base_width=base),)
    recipe = Recipe(
        MLP(hidden=(width,) * 3), Digits(), optimizer=AdamW(lr=rate, weight_decay=0.0), techniques=techniques,
        steps=steps, batch_size=64, seed=seed, validate=False, device="cpu",
    )  # fmt: skip
    with Run(recipe) as run:
        losses = [float(report.loss) for report in run]
    late = fmean(losses[-max(1, steps // 10) :])
    return late if late == late and abs(late) < 1e6 else None


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--widths", default="32,128,512")
    arguments.add_argument("--rates", type=int, default=10)
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--steps", type=int, default=200)
    arguments.add_argument("--out", type=Path, default=Path("build/mup"))
    given = arguments.parse_args()
    torch.set_num_threads(1)
    widths = sorted(int(width) for width in given.widths.split(","))
    rates = [2.0**power for power in range(-3 - given.rates, -3)]  # up to 1/16, in octaves
    given.out.mkdir(parents=True, exist_ok=True)
    start, found = time.process_time(), {}
    for way, base in (("usual", None), ("mup", widths[0])):
        losses = {
            width: [[trained(width, rate, seed, given.steps, base) for rate in rates] for seed in range(given.seeds)] for width in widths
        }
        title = TITLES[way]
        axes = Axes(
            Sentence(title.en.format(base=base), title.zh.format(base=base)),
            Sentence("learning rate", "学习率"),
            Sentence("training loss, log10", "训练损失（log10）"),
            log_x=True,
        )
        labels = {width: Sentence(f"width {width}", f"宽度 {width}") for width in widths}
        logs = {width: [[value and log10(value) for value in one] for one in losses[width]] for width in widths}
        written = draw(given.out / way, axes, [Curve(labels[width], rates, logs[width]) for width in widths])
        found[way] = summary(losses, rates)
        print(f"{way}: written {', '.join(map(str, written))}")
        for width in widths:
            one = found[way]["best"][width]
            power = f"2^{one['power']}{', the edge of the grid' if one['edge'] else ''}"
            print(f"  width {width:5d}: best rate {one['rate']:.5f} ({power}), loss {one['loss']:.4f} +- {one['deviation']:.4f}")
        print(f"  at the narrowest net's best rate the widest has {found[way]['transferred']:.4f}, its own best {found[way]['own']:.4f}")
    found["seconds"] = time.process_time() - start
    (given.out / "mup.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"{found['seconds']:.0f} CPU-seconds")


def summary(losses: dict[int, list[list[float | None]]], rates: list[float]) -> dict:
    """The best rate of each width, and what the widest loses at that of the narrowest."""
    best, means = {}, {}
    for width, seeds in losses.items():
        columns = [[one[place] for one in seeds] for place in range(len(rates))]
        means[width] = [fmean(column) if None not in column else float("inf") for column in columns]
        place = min(range(len(rates)), key=lambda k: means[width][k])
        spread = stdev(columns[place]) if len(columns[place]) > 1 else 0.0
        edge = place in (0, len(rates) - 1)
        power = round(torch.tensor(rates[place]).log2().item())
        best[width] = {"rate": rates[place], "power": power, "loss": means[width][place], "deviation": spread, "edge": edge}
    narrow, wide = min(losses), max(losses)
    place = rates.index(best[narrow]["rate"])
    return {"best": best, "transferred": means[wide][place], "own": best[wide]["loss"], "rates": rates, "losses": losses}


if __name__ == "__main__":
    main()
