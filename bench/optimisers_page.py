"""The tuned tables and pictures of docs/optimisers.md, from the cells that `optimisers.py` has measured."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from optimisers import EVERY, RATES, SEEDS, STEPS, TASKS, Arm, Cell, chosen, missing, rate
from page import DOCS, replace_section

from danlu.errors import Sentence
from danlu.study import paired
from danlu.study.figure import Axes, Curve, draw

NAMES = {
    "adamw": "AdamW", "sgd": "SGD", "muon": "Muon", "lion": "Lion", "soap": "SOAP", "shampoo": "Shampoo", "kfac": "K-FAC",
    "kfac_often": "K-FAC, often",
}  # fmt: skip
BASE = "adamw"
STEPS_AXIS, SECONDS_AXIS = Sentence("steps", "步数"), Sentence("CPU seconds, 1 thread (mean over seeds)", "CPU 秒（单线程，各种子平均）")
LOSS_AXIS = Sentence("validation loss", "验证损失")

INTRO = """Written by `python bench/optimisers.py page` from `bench/optimisers.jsonl`, which `python bench/optimisers.py run` goes on
filling; no figure of the tables is typed by hand. Every optimiser has the same budget: {rates} rates, three to a decade, around danlu's
default, with one seed, and one more at an end of the grid for as long as the best lies there; then {seeds} seeds at the best rate, and
then at the two next to it. All else is danlu's default. The rate is constant after a warm-up of 5 % and chosen by the validation loss at
the end (the mean of the last three looks, one every {every} steps); {steps} steps, or 100 where a step costs several times as much. K-FAC
stands in front of SGD with momentum 0.9, at its defaults; kfac_often has its factors every 5 and its inverses every 20 steps. Before
these cells K-FAC had about fifty trainings of 30 to 100 steps by hand, on the autoencoder and on a smaller one, with dampings from 0.001
to 100 and trust bounds of 0.01, 0.003, 0.001 and none, which is more than the others had. No setting was taken from them, but a fault was
found: at the defaults the first 100 steps rested on the inverses of the first batch alone (loss at the rate 0.1, one seed: 271 then, 117
without the fault). Now factors and inverses are renewed after 1, 2, 4, 8 ... steps, too. On the autoencoder the trust bound shortens
every step of K-FAC, so that its rate makes no difference: the bound decides, and it has danlu's default (0.01, tried once, lost the
training within 20 steps).

- **rate**: the chosen one, in brackets the ends of the grid; **cells**: how many trainings were run.
- **end**: the loss after the last step. Brackets are 95 % t-intervals over seeds.
- **steps and CPU s to near, far**: the first look at which the loss is as low as every seed of AdamW has it after half of its steps
  (near), and at its end (far); "2 of 5 seeds" says how many got there at all. After "x": as a multiple of AdamW's, seed by seed.
- CPU seconds are the process's own, without validation, on one thread of a machine that others used too: a tenth is noise, perhaps more
  where ten and more processes shared its two cores (most cells of K-FAC on the autoencoder and of the GPT).
- *: measured with an earlier source of that optimiser. The seeds that choose a rate also report it, which flatters all of them a little.
"""


def write(cells: list[Cell], found: dict[str, Arm]) -> None:
    """The section of docs/optimisers.md, and docs/optimisers/TASK_steps.LANGUAGE.svg and TASK_seconds.LANGUAGE.svg."""
    text = INTRO.format(rates=RATES, seeds=SEEDS, every=EVERY, steps=STEPS)
    for task in TASKS:
        text += f"\n### {TASKS[task].title.en}\n\n{section(task, cells, found)}"
    replace_section("Tuned: steps and seconds to a loss", text)


def section(task: str, cells: list[Cell], found: dict[str, Arm]) -> str:
    """The table of one task, and its pictures if there is something to draw."""
    own = {name: [c for c in cells if (c.task, c.optimizer, c.form) == (task, name, arm.form(task))] for name, arm in found.items()}
    best = {name: trained for name in found if (trained := tuned(own[name]))}
    targets = goals(best[BASE]) if BASE in best else None
    head = ["optimiser", "rate (grid)", "cells", "end", "ms a step"]
    if targets:
        head += [f"{what} to {word} ({goal:.4g})" for word, goal in zip(("near", "far"), targets) for what in ("steps", "CPU s")]
    rows = [line(name, found[name], task, own[name], best, targets) for name in found if own[name]]
    text = "".join(f"| {' | '.join(row)} |\n" for row in [head, ["---"] * len(head), *rows]) if rows else ""
    if refused := TASKS[task].refused:
        text += f"\nNot for this net, which has no hidden matrix: {', '.join(refused)}.\n"
    if absent := [name for name in found if not own[name] and name not in refused]:
        text += f"{text and chr(10)}Not run: {', '.join(absent)}.\n"
    return text + pictures(task, best)


def tuned(own: list[Cell]) -> list[Cell]:
    """The cells of the chosen rate, by seed, if it has all seeds."""
    ends = {(c.k, c.seed): c.end for c in own}
    found = sorted((c for c in own if c.k == chosen(ends)[0]), key=lambda c: c.seed) if ends else []
    return found if len(found) == SEEDS else []


def goals(base: Sequence[Cell]) -> tuple[float, float]:
    """What every seed of the base has after half of its steps, and at its end."""
    half = len(base[0].losses) // 2 + 1
    return max(lowest(c.losses[:half]) for c in base), max(lowest(c.losses) for c in base)


def lowest(losses: Sequence[float | None]) -> float:
    return min(x for x in losses if x is not None)


def reached(cell: Cell, goal: float) -> int | None:
    """At which look the loss is first as low as the goal."""
    return next((place for place, x in enumerate(cell.losses) if x is not None and x <= goal), None)


def line(name: str, arm: Arm, task: str, own: list[Cell], best: dict[str, list[Cell]], targets: tuple[float, float] | None) -> list[str]:
    """One row of the table."""
    ends = {(c.k, c.seed): c.end for c in own}
    tried = sorted({c.k for c in own})
    stale = any(c.code != arm.code for c in own)
    done = missing(ends, arm.middle) is None
    count = f"{len(own)}" if done else f"{len(own)} of {RATES + 3 * (SEEDS - 1)} or more"
    edge = "" if missing(ends, arm.middle, 0) is None else ", not yet closed"
    trained = best.get(name, [])
    k = trained[0].k if trained else chosen(ends)[0]
    head = [f"{name}{'*' if stale else ''}", f"{rate(k):g} ({rate(tried[0]):g} to {rate(tried[-1]):g}{edge})", count]
    if not trained:
        return [*head, f"{ends[k, 0]:.4g}, one seed", f"{1000 * pace(own):.0f}", *(["not run"] * 4 if targets else [])]
    row = [*head, interval([c.losses[-1] or math.nan for c in trained]), f"{1000 * pace(trained):.0f}"]
    for goal in targets or ():
        looks, base = [reached(c, goal) for c in trained], [reached(c, goal) for c in best[BASE]]
        row.append(until([None if at is None else at * EVERY for at in looks], [at * EVERY for at in base if at is not None]))
        spent = [None if at is None else c.seconds[at] for c, at in zip(trained, looks)]
        row.append(until(spent, [c.seconds[at] for c, at in zip(best[BASE], base) if at is not None]))
    return row


def pace(cells: Sequence[Cell]) -> float:
    """CPU seconds a step, in the median over trainings that ended."""
    whole = [c.seconds[-1] / (EVERY * (len(c.seconds) - 1)) for c in cells if c.losses[-1] is not None]
    return float(np.median(whole)) if whole else math.nan


def until(values: Sequence[float | None], base: Sequence[float]) -> str:
    """Mean with its interval, and that of the ratio to the base, seed by seed."""
    there = [value for value in values if value is not None]
    if len(there) < len(values):
        return f"{len(there)} of {len(values)} seeds"
    ratios = [value / own for value, own in zip(there, base, strict=True)]
    return interval(there) + ("" if all(x == 1 for x in ratios) else f"; x{interval(ratios)}")


def interval(values: Sequence[float]) -> str:
    """The mean of some seeds with its 95 % t-interval, to three digits."""
    found = np.array(values, dtype=np.float64)
    if not np.isfinite(found).all():
        return "lost"
    low, high = paired.interval(found, level=0.95)
    return f"{found.mean():.3g} [{low:.3g}, {high:.3g}]"


def pictures(task: str, best: dict[str, list[Cell]]) -> str:
    """Loss over steps and over CPU seconds at the chosen rates; links to them."""
    if len(best) < 2:
        return ""
    text = "\n"
    for kind, x_axis in (("steps", STEPS_AXIS), ("seconds", SECONDS_AXIS)):
        lines = []
        for name, trained in list(best.items())[:8]:
            seconds = np.mean([c.seconds for c in trained], axis=0)
            x = seconds.tolist() if kind == "seconds" else [EVERY * place for place in range(len(seconds))]
            shown = NAMES.get(name, name)
            lines.append(Curve(Sentence(shown, shown), x[1:], [c.losses[1:] for c in trained]))
        stem = DOCS / "optimisers" / f"{task}_{kind}"
        stem.parent.mkdir(exist_ok=True)
        draw(stem, Axes(TASKS[task].title, x_axis, LOSS_AXIS, log_y=True), lines)
        text += f"![{TASKS[task].title.en}](optimisers/{stem.name}.en.svg) ([中文](optimisers/{stem.name}.zh.svg))\n\n"
    return text
