"""Steps and CPU seconds to a loss, every optimiser tuned with the same budget: python bench/optimisers.py run | page.

    python bench/optimisers.py run [--tasks NAME,...] [--optimisers NAME,...] [--add my_opt.py:Foo] [--seconds 3600]
    python bench/optimisers.py page

`run` measures what is missing, the most wanted first, and adds each finished cell (task, optimiser, rate, seed) to `optimisers.jsonl`, so
that it can be stopped at any time and go on another day. `page` writes the tables and pictures of docs/optimisers.md from that file.

The budget of each optimiser on each task: 8 rates, three to a decade, around danlu's default, with one seed; one more rate at an end of the
grid for as long as the best one lies there; then five seeds at the best rate, then at the three best. Every optimiser has its first part
before any has its second. All other settings are danlu's defaults. A cell is a recipe in the ordinary loop, with a constant rate after
a warm-up of 5 %; the loss is that of fixed validation rows, every 10 steps, and its cost is not counted. The rate is chosen by the mean of
the last three of these. A training whose loss is three times that of its start is ended there. K-FAC, SOAP and Shampoo have 100 steps
instead of 300 on the autoencoder, where a step of theirs takes several times as long.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import inspect
import itertools
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from own import described
from torch import Tensor

from danlu import build
from danlu.core import Recipe, Run
from danlu.data.corpora import TinyShakespeare
from danlu.data.mnist import MNIST, FashionMNIST
from danlu.data.source import Data, Facts, Tensors
from danlu.errors import Sentence, Trouble
from danlu.find import catalogue, find
from danlu.find.computing import computing
from danlu.metrics.score import score
from danlu.nets.cnn import CNN
from danlu.nets.gpt import GPT
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD
from danlu.optim.schedules import Constant
from danlu.techniques.gradient import kfac

RESULTS = Path(__file__).with_suffix(".jsonl")
STEPS, EVERY = 300, 10
LOST = 3  # a loss so many times that of the start is as good as none
RATES, SEEDS = 8, 5
PARTS = (0, 1, 3)  # of the budget: at how many of the best rates all seeds are run
FURTHEST = 8  # rates that a grid may grow by at each end


# ---- what is trained ----


def nats(output: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of a row's pixels, summed over them, as in Martens and Grosse 2015; pixels are taken as probabilities."""
    return F.binary_cross_entropy_with_logits(output, target, reduction="none").sum(1)


def pixels() -> Data:
    """The 8,000 training images of the small MNIST, each its own target, and 500 of its validation images."""
    made = MNIST(subset=True)()
    flat = {name: getattr(made, name).images.flatten(1).float() / 255 for name in ("train", "val")}
    rows = {name: Tensors(x, x) for name, x in (("train", flat["train"]), ("val", flat["val"][:500]))}
    return Data(rows["train"], Facts("multilabel", (784,), 784, rows=len(flat["train"])), val=rows["val"])


def first_rows(description: Any, number: int) -> Callable[[], Data]:
    """The data with only the first validation rows."""

    def short() -> Data:
        made = description()
        return replace(made, val=Tensors(*made.val.fetch(torch.arange(number), 0)))

    return short


def autoencoder() -> Recipe:
    return Recipe(MLP(hidden=(1000, 500, 250, 30, 250, 500, 1000), activation="tanh"), pixels, nats, batch_size=128)


def cnn() -> Recipe:
    return Recipe(CNN(widths=(16, 32, 64), dropout=0.0), first_rows(FashionMNIST(), 1000), batch_size=64)


def gpt() -> Recipe:
    return Recipe(GPT(width=64, depth=2, heads=4), first_rows(TinyShakespeare(length=64), 256), batch_size=16)


@dataclass(frozen=True)
class Task:
    """What is trained, what its pictures call it, and the optimisers that refuse it."""

    recipe: Callable[[], Recipe]
    title: Sentence
    refused: tuple[str, ...] = ()


TASKS = {
    "autoencoder": Task(autoencoder, Sentence("MNIST autoencoder, 784-1000-500-250-30", "MNIST 自编码器，784-1000-500-250-30")),
    "cnn": Task(cnn, Sentence("Fashion-MNIST, a small CNN", "Fashion-MNIST，小型卷积网络"), ("muon",)),
    "gpt": Task(gpt, Sentence("Shakespeare by characters, a small GPT", "逐字符的莎士比亚，小型 GPT")),
}
SOURCES = {name: inspect.getsource(task.recipe) for name, task in TASKS.items()} | {"pixels": inspect.getsource(pixels)}
WANTED = ("adamw", "sgd", "muon", "lion", "soap", "shampoo", "kfac", "kfac_often")  # the others follow by name


@dataclass(frozen=True)
class Arm:
    """An optimiser's description, and what it needs beside it; `short`: the tasks on which a step is so dear that it gets 100 of them."""

    optimizer: Any
    techniques: tuple[Any, ...] = ()
    short: tuple[str, ...] = ()

    @property
    def middle(self) -> int:
        """The default rate is about 10^(middle / 3)."""
        return round(3 * math.log10(self.optimizer.lr))

    def recipe(self, task: str, k: int, seed: int) -> Recipe:
        return replace(
            TASKS[task].recipe(), optimizer=replace(self.optimizer, lr=rate(k)), techniques=self.techniques, schedule=Constant(warmup=0.05),
            steps=self.steps(task), seed=seed, device="cpu",
        )  # fmt: skip

    def steps(self, task: str) -> int:
        return STEPS // 3 if task in self.short else STEPS

    def form(self, task: str) -> str:
        """A digest of all that is chosen but the rate and the seed: cells of another form are another measurement."""
        own = f"Arm(optimizer={self.optimizer!r}, techniques={self.techniques!r})"
        chosen = [own, SOURCES[task], SOURCES["pixels"], self.steps(task), EVERY]
        return digest(chosen)

    @cached_property
    def code(self) -> str:
        """A digest of the functions in the optimiser's own files: cells of other code are measured again, and marked until then."""
        files = {Path(inspect.getfile(type(thing))) for thing in (self.optimizer, *self.techniques)}
        found = (node for file in sorted(files) for node in ast.walk(ast.parse(computing(file))))
        return digest([ast.unparse(node) for node in found if isinstance(node, ast.FunctionDef)])


def digest(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def rate(k: int) -> float:
    return float(f"{10 ** (k / 3):.3g}")


def arms(added: list[str]) -> dict[str, Arm]:
    """All of danlu's optimisers but L-BFGS, which wants whole data, and K-FAC in front of SGD; then those of other people."""
    names = [found.name for found in catalogue("optimizer", others=False) if found.name != "lbfgs"]
    dear = ("autoencoder",)
    found = {name: Arm(find("optimizer", name).load()(), (), dear if name in ("shampoo", "soap") else ()) for name in names}
    found["kfac"] = Arm(SGD(), (kfac.KFAC(),), dear)
    found["kfac_often"] = Arm(SGD(), (kfac.KFAC(factor_every=5, inverse_every=20),), dear)
    order = [*WANTED, *(name for name in names if name not in WANTED)]
    return {name: found[name] for name in order} | {name: Arm(description) for name, description in described(added).items()}


# ---- cells ----


@dataclass(frozen=True)
class Cell:
    """One finished training: validation loss and CPU seconds after 0, 10, ... steps; None from where it was lost."""

    task: str
    optimizer: str
    k: int
    seed: int
    form: str
    code: str
    losses: tuple[float | None, ...]
    seconds: tuple[float, ...]

    @property
    def end(self) -> float:
        """The mean of the last three losses; inf for a training that ended early."""
        last = self.losses[-3:]
        return sum(x for x in last if x is not None) / 3 if None not in last else math.inf


def measured(name: str, arm: Arm, task: str, k: int, seed: int) -> Cell:
    """Train it."""
    losses: list[Any] = []
    seconds, spent = [], 0.0
    with Run(arm.recipe(task, k, seed), data=rows(task)) as run:

        def look() -> bool:
            found = score(run, run.data.val, "val_", run.kept_weights())["val_loss"]
            sound = found is not None and math.isfinite(found) and not (losses and found > LOST * losses[0])
            losses.append(float(f"{found:.5g}") if sound else None)
            seconds.append(round(spent, 3))
            return sound

        look()
        reports = iter(run)
        while True:
            start = time.process_time()
            try:
                report = next(reports, None)
            except Trouble:  # too many steps that were not finite, factors without eigenvectors
                break
            spent += time.process_time() - start
            if report is None or (report.step % EVERY == 0 and not look()):
                break
    whole = arm.steps(task) // EVERY + 1
    losses += [None] * (whole - len(losses))
    seconds += [round(spent, 3)] * (whole - len(seconds))
    return Cell(task, name, k, seed, arm.form(task), arm.code, tuple(losses), tuple(seconds))


@cache
def rows(task: str) -> Data:
    """The data of a task, read once."""
    return build.data(TASKS[task].recipe())


def read(path: Path = RESULTS) -> list[Cell]:
    """Every cell, the newest of each kind alone."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    cells = [Cell(**json.loads(line)) for line in lines]
    return list({(cell.task, cell.optimizer, cell.k, cell.seed, cell.form): cell for cell in cells}.values())


def add(cell: Cell, path: Path = RESULTS) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(vars(cell)) + "\n")


# ---- the budget ----


def chosen(ends: dict[tuple[int, int], float]) -> list[int]:
    """The best rates, by {(rate, seed): loss at the end}: those with all seeds by their mean, else by the first seed."""
    full = {k for k, _ in ends if all((k, seed) in ends for seed in range(SEEDS))}
    mean = lambda k: sum(ends[k, seed] for seed in range(SEEDS)) / SEEDS
    by_mean = sorted(full, key=lambda k: (mean(k), k))
    return by_mean + sorted({k for k, seed in ends if seed == 0} - full, key=lambda k: (ends[k, 0], k))


def missing(ends: dict[tuple[int, int], float], middle: int, full: int = PARTS[-1]) -> tuple[int, int] | None:
    """The (rate, seed) that is to be measured next, with all seeds at the `full` best rates; None when there is none."""
    grid = range(middle - RATES // 2, middle - RATES // 2 + RATES)
    for k in sorted(grid, key=lambda k: abs(k - middle)):
        if (k, 0) not in ends:
            return k, 0
    tried = {k for k, seed in ends if seed == 0}
    first = sorted(tried, key=lambda k: (ends[k, 0], k))
    best = chosen(ends)[0]
    if best == min(tried) > grid[0] - FURTHEST:
        return best - 1, 0
    if best == max(tried) < grid[-1] + FURTHEST:
        return best + 1, 0
    return next(((k, seed) for k in first[:full] for seed in range(SEEDS) if (k, seed) not in ends), None)


def to_do(cells: list[Cell], found: dict[str, Arm], tasks: list[str], parts: int = len(PARTS)) -> Iterator[tuple[str, str, int, int]]:
    """(task, optimiser, rate, seed), one after the other, each to be measured before the next is asked for: `cells` grows meanwhile."""
    for task, full, (name, arm) in itertools.product(tasks, PARTS[:parts], found.items()):
        if name in TASKS[task].refused:
            continue
        form, code = arm.form(task), arm.code
        while True:
            own = [c for c in cells if (c.task, c.optimizer, c.form, c.code) == (task, name, form, code)]
            following = missing({(c.k, c.seed): c.end for c in own}, arm.middle, full)
            if following is None:
                break
            yield (task, name, *following)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "page"))
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--optimisers", default="", help="only these, in this order (all)")
    parser.add_argument("--add", action="append", default=[], metavar="FILE.py:NAME", help="a person's own optimiser")
    parser.add_argument("--parts", type=int, default=len(PARTS), help="how many parts of the budget (all)")
    parser.add_argument("--seconds", type=float, default=math.inf, help="start no cell later than this")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    found = arms(asked.add)
    if asked.what == "page":
        from optimisers_page import write

        write(read(), found)
        return
    if asked.optimisers:
        found = {name: found[name] for name in asked.optimisers.split(",")}
    for arm in found.values():
        assert arm.code  # what is measured is the source as it was loaded, whatever becomes of the files meanwhile
    cells, start = read(), time.monotonic()
    for task, name, k, seed in to_do(cells, found, asked.tasks.split(","), asked.parts):
        if time.monotonic() - start > asked.seconds:
            break
        cell = measured(name, found[name], task, k, seed)
        add(cell)
        cells.append(cell)
        print(f"{task} {name} rate {rate(k):g} seed {seed}: {cell.end:.4g} in {cell.seconds[-1]:.1f} CPU-s", flush=True)


if __name__ == "__main__":
    main()
