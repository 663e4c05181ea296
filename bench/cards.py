"""What the cards of the site show as measured: effect and cost of every technique, optimiser and schedule, and which pairs are refused.

    python bench/cards.py [NAME ...]      those that are named, else those that have no figures yet; writes bench/cards.json

One setting for all, so that names can be compared: a perceptron with batch normalisation and dropout on 8,000 digits, 200 steps of 64 rows.
Effect: validation accuracy with it less that without it, paired by seed, 5 seeds; fields as they come, but for those in FIELDS.
- a technique beside none; a schedule beside a constant rate; both with AdamW.
- an optimiser beside AdamW, each at the best of five rates (RATES times its default), chosen on two seeds that are not measured.
Time: CPU seconds of a step beside those without it (an optimiser: beside AdamW), interleaved, by round; `plain.time` is that of two equals.
State: numbers that an optimiser keeps for each parameter of three 64 by 64 layers.
A figure is for this setting alone: no technique is good or bad because of it, and what does not help here stays.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from measure import interleaved

from danlu.core import Recipe, Run
from danlu.data.mnist import MNIST
from danlu.errors import Trouble
from danlu.find import catalogue
from danlu.find.card import CARRY
from danlu.find.source import Found
from danlu.losses.classification import CrossEntropy
from danlu.nets.mlp import MLP
from danlu.optim.first_order import AdamW
from danlu.optim.schedules import Constant
from danlu.study.results import Measured, Results, measured
from danlu.testing.conformance import state_size
from danlu.testing.pairs import ordered, refusal
from danlu.testing.tiny import tiny

OUT = Path(__file__).with_name("cards.json")
SEEDS, CHOOSING = range(5), (100, 101)
RATES = (0.1, 0.3, 1.0, 3.0, 10.0)
BLOCK, ROUNDS = 20, 15  # steps between two looks at the clock, and looks
FIELDS: dict[str, dict[str, Any]] = {  # what has no default, or one for runs of another length
    "freeze": {"parts": ("layers.0.*",)},
    "step": {"every": 50},
    "multi_step": {"milestones": (100, 150)},
    "exponential": {"gamma": 0.99},
    "inverse_sqrt": {"timescale": 50},
    "cyclical": {"cycle": 50},
}


def base() -> Recipe:
    return Recipe(
        model=MLP(hidden=(64, 64), norm="batch", dropout=0.1),
        data=MNIST(subset=True),
        loss=CrossEntropy(),
        optimizer=AdamW(lr=3e-3),
        schedule=Constant(),
        steps=200,
        batch_size=64,
    )


def with_it(found: Found) -> Recipe:
    """The setting with that name in its place."""
    thing = found.load()(**FIELDS.get(found.name, {}))
    return replace(base(), **{found.kind: thing} if found.kind != "technique" else {"techniques": (thing,)})


# ---- effect ----


def accuracy(recipe: Recipe, seed: int, data: Any) -> float:
    last = 0.0
    with Run(replace(recipe, seed=seed), data=data) as run:
        for report in run:
            last = report.metrics.get("val_accuracy", last)
    return float(last)


def tuned(recipe: Recipe, data: Any) -> Recipe:
    """At the best of the rates, by seeds that are not measured."""
    tries = [replace(recipe, optimizer=replace(recipe.optimizer, lr=recipe.optimizer.lr * factor)) for factor in RATES]
    return max(tries, key=lambda each: sum(accuracy(each, seed, data) for seed in CHOOSING))


# ---- cost ----


def stepping(recipe: Recipe, data: Any) -> Callable[[], None]:
    run = Run(replace(recipe, steps=10**7, validate=False), data=data)
    reports = iter(run)
    return lambda: [next(reports) for _ in range(BLOCK)] and None


def times(recipe: Recipe, reference: Recipe, data: Any) -> Measured:
    arms = {"with": stepping(recipe, data), "without": stepping(reference, data)}
    seconds = interleaved(arms, ROUNDS, clock=time.process_time)
    return measured({turn: a / b for turn, (a, b) in enumerate(zip(seconds["with"], seconds["without"]))})


# ---- pairs ----


def refused() -> list[dict[str, Any]]:
    """Every ordered pair of techniques that the tiny recipe of the laws refuses, with its sentence; whole and in micro-batches."""
    found = []
    known = {each.name: each for each in catalogue("technique", others=False)}
    for outer, inner in ordered():
        for split in (False, True):
            first, second = (known[name].load().example() for name in (outer, inner))
            trouble = refusal(replace(tiny(first, split=split), techniques=(first, second)))
            alone = [refusal(tiny(known[name].load().example(), split=split)) for name in (outer, inner)] if trouble else []
            if trouble and not any(alone):  # what is refused alone is no matter of the pair
                said = {language: getattr(trouble.sentence, language).format(**trouble.values) for language in ("en", "zh")}
                found.append({"outer": outer, "inner": inner, "micro_batches": split, **said})
    return sorted(found, key=lambda each: (each["outer"], each["inner"], each["micro_batches"]))


# ---- all ----


def figures(found: Found, data: Any, bar: dict[int, float], plain: dict[int, float]) -> dict[str, Measured]:
    """bar: the tuned AdamW's accuracy by seed; plain: that of the setting as it is."""
    recipe = with_it(found)
    made: dict[str, Measured] = {}
    if found.kind == "optimizer":
        recipe = tuned(recipe, data)
        made["rate"] = measured(recipe.optimizer.lr)
        if hasattr(recipe.optimizer, "groups"):  # L-BFGS keeps copies of all weights, as many as its history is long
            made["state"] = measured(state_size(found.load()()))
    own = {seed: accuracy(recipe, seed, data) for seed in SEEDS}
    beside = bar if found.kind == "optimizer" else plain
    made["gain"] = measured({seed: own[seed] - beside[seed] for seed in SEEDS})
    if found.kind != "schedule":
        made["time"] = times(recipe, base(), data)
    return {f"{found.kind}.{found.name}.{key}": value for key, value in made.items()}


def main(names: list[str]) -> int:
    torch.set_num_threads(1)
    before = Results.read(OUT) if OUT.exists() else None
    values = dict(before.values) if before else {}
    listed = [found for kind in CARRY for found in catalogue(kind, others=False)]
    wanted = [f for f in listed if (f.name in names if names else f"{f.kind}.{f.name}.gain" not in values)]
    pairs = list(before.tables["refused"]) if before else refused()
    data = base().data()
    plain = {seed: accuracy(base(), seed, data) for seed in SEEDS}
    best = tuned(base(), data)
    bar = {seed: accuracy(best, seed, data) for seed in SEEDS}
    values |= {"plain.val_accuracy": measured(plain), "adamw.val_accuracy": measured(bar), "plain.time": times(base(), base(), data)}
    for found in wanted:
        try:
            made = figures(found, data, bar, plain)
        except Trouble as trouble:  # it does not go with this setting: the card says that nothing is measured
            print(f"{found.kind} {found.name}: {trouble}", flush=True)
            continue
        values |= made
        save(values, listed, pairs)  # so that a stop loses nothing
        print(found.kind, found.name, *(f"{key.rpartition('.')[2]} {value.mean:.4g}" for key, value in made.items()), flush=True)
    save(values, listed, refused())
    return 0


def save(values: dict[str, Measured], listed: list[Found], pairs: list[dict[str, Any]]) -> None:
    there = {f"{found.kind}.{found.name}" for found in listed} | {"plain", "adamw"}
    values = {key: value for key, value in values.items() if key.rpartition(".")[0] in there}  # names that are gone take theirs with them
    fields = {name: {key: list(v) if isinstance(v, tuple) else v for key, v in given.items()} for name, given in FIELDS.items()}
    Results.of("cards", values, tables={"refused": pairs, "fields": fields, "seeds": len(SEEDS), "rounds": ROUNDS}).write(OUT)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    sys.exit(main(parser.parse_args().names))
