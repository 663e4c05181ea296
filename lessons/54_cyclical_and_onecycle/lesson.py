"""Cyclical rates and OneCycle: faster, or only compared at a rate that suits them?"""

# %% setup
import math

import torch
from torch.nn.functional import cross_entropy

from danlu.core import Recipe, Run
from danlu.data.mnist import MNIST
from danlu.errors import Sentence
from danlu.finders.learning_rate import growing, range_test, range_tests
from danlu.losses.classification import CrossEntropy
from danlu.nets.mlp import MLP
from danlu.optim.cyclical import Cyclical
from danlu.optim.first_order import SGD
from danlu.optim.schedules import Constant, Cosine, OneCycle
from danlu.study.ensemble import Ensemble, ensemble, sweep
from danlu.study.figure import Axes, Curve, Theory, bars, draw
from danlu.study.results import measured
from danlu.techniques.reports.validate import Validate

STEPS, HALF, BATCH, WIDTH, MOMENTUM = 240, 120, 32, 32, 0.9
RATES = (0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.07)
REPEATS, TOGETHER = 3, 53  # networks that every seed stands for; networks that are trained as one program
SCHEDULES = {
    "constant": Constant(),
    "cosine": Cosine(),
    "cosine_warm": Cosine(warmup=0.3),
    "cyclical": Cyclical(cycle=STEPS // 2, low=0.1),
    "onecycle": OneCycle(),
}
LOW, HIGH, TEST_STEPS = 1e-4, 10.0, 100  # the range test
CURVATURES = torch.logspace(-3, 0, 13, dtype=torch.float64)  # the valley's axes, from flat to steep
NOISE, VALLEY_STEPS = 0.1, (30, 60, 120, 240, 480, 960, 1920)
ROWS, TOP = 256, 0.3  # of the range test by hand: its rows and its highest rate


# %% valley
def ends(schedule, steps: int, rates: torch.Tensor) -> torch.Tensor:
    """Mean loss at the end for each peak rate, [rates]: the recursion of the noisy valley, one for every axis."""
    factor, square = schedule(steps), torch.ones(len(rates), len(CURVATURES), dtype=torch.float64)
    for step in range(steps):
        rate = (rates * factor(step))[:, None]
        square = (1 - rate * CURVATURES) ** 2 * square + rate**2 * NOISE**2
    return (CURVATURES * square / 2).sum(1)


def best_end(name: str, steps: int) -> tuple[float, float]:
    """(lowest mean loss at the end, its peak rate), over a fine grid of peaks."""
    rates = torch.logspace(-3, math.log10(1.99), 120, dtype=torch.float64)
    schedule = Cyclical(cycle=steps // 2, low=0.1) if name == "cyclical" else SCHEDULES[name]
    loss, place = ends(schedule, steps, rates).min(0)
    return float(loss), float(rates[place])


# %% scratch
def onecycle_by_hand(step: int, steps: int) -> float:
    """OneCycle: half a cosine up over three tenths of the steps, half a cosine down over the others."""
    peak = 0.3 * steps - 1
    if step < peak:
        return 0.04 + 0.96 * (1 - math.cos(math.pi * step / peak)) / 2
    return 4e-6 + (1 - 4e-6) * (1 + math.cos(math.pi * (step - peak) / (steps - 1 - peak))) / 2


def range_by_hand(model: torch.nn.Module, inputs: torch.Tensor, labels: torch.Tensor, steps: int) -> list[float]:
    """The loss before each step, while the rate grows by equal ratios from LOW to TOP; all rows in every step."""
    losses, momenta = [], [torch.zeros_like(p) for p in model.parameters()]
    for step in range(steps):
        rate = LOW * (TOP / LOW) ** (step / (steps - 1))
        loss = cross_entropy(model(inputs), labels)
        losses.append(float(loss.detach()))
        for p, momentum, slope in zip(model.parameters(), momenta, torch.autograd.grad(loss, list(model.parameters()))):
            momentum.mul_(MOMENTUM).add_(slope)
            p.data -= rate * momentum
    return losses


def range_gap(steps: int = 60) -> float:
    """The largest difference between the losses of our range test and danlu's, on the same rows."""
    inputs, labels = MNIST(subset=True)().train.fetch(torch.arange(ROWS), 0)
    whole = Recipe(
        model=MLP(hidden=(WIDTH,)),
        data=(inputs, labels),
        loss=CrossEntropy(),
        optimizer=SGD(lr=0.1, momentum=MOMENTUM),
        steps=steps,
        batch_size=ROWS,
        validate=False,
    )
    with Run(whole) as run:
        theirs = range_test(run, LOW, TOP, steps).losses
        ours = range_by_hand(run.model, inputs, labels, steps)
    return max(abs(a - b) for a, b in zip(ours, theirs))


# %% recipe
def recipe(steps: int) -> Recipe:
    """One hidden layer on digits; the schedule and its peak are what varies."""
    return Recipe(
        model=MLP(hidden=(WIDTH,)),
        data=MNIST(subset=True),
        loss=CrossEntropy(),
        optimizer=SGD(lr=0.1, momentum=MOMENTUM),
        steps=steps,
        batch_size=BATCH,
        validate=Validate(every=steps),
    )


# %% judged
def networks(seed: int) -> range:
    """The seeds of the networks that a seed stands for: less chance in every value, and the pairing stays."""
    return range(REPEATS * seed, REPEATS * (seed + 1))


def losses_of(schedule, steps: int, seeds) -> dict[float, dict[int, float]]:
    """peak rate -> seed -> mean validation loss of its networks at the end; infinity where one broke."""
    all_seeds = [own for seed in seeds for own in networks(seed)]
    recipes = sweep(recipe(steps), seeds=all_seeds, schedule=[schedule], **{"optimizer.lr": RATES})
    parts = [ensemble(recipes[place : place + TOGETHER]) for place in range(0, len(recipes), TOGETHER)]
    found = Ensemble(tuple(member for part in parts for member in part.members))
    number = lambda loss: loss if loss is not None and math.isfinite(loss) else math.inf
    losses = {}
    for rate in RATES:
        each = {own: number(loss) for own, loss in found.where(**{"optimizer.lr": rate}).last("val_loss").items()}
        losses[rate] = {seed: sum(each[own] for own in networks(seed)) / REPEATS for seed in seeds}
    return losses


def chosen(losses: dict[float, dict[int, float]], seed: int) -> float:
    """The rate that is best on average for the other seeds."""
    return min(losses, key=lambda rate: sum(loss for own, loss in losses[rate].items() if own != seed))


# %% measure
def measure(seeds):
    """Everything that the page shows."""
    values, tables, grid = {}, {"seeds": list(seeds)}, {}
    for name in SCHEDULES:
        end, rate = best_end(name, STEPS)
        values[f"valley_{name}.end"], values[f"valley_{name}.rate"] = measured(end), measured(rate)
    tables["valley"] = {name: [best_end(name, steps)[0] for steps in VALLEY_STEPS] for name in SCHEDULES}
    hand = [abs(onecycle_by_hand(step, STEPS) - OneCycle()(STEPS)(step)) for step in range(STEPS)]
    values["scratch.schedule_gap"] = measured(max(hand))
    values["scratch.range_gap"] = measured(range_gap())

    arms = {name: (schedule, STEPS) for name, schedule in SCHEDULES.items()}
    arms["onecycle_half"] = SCHEDULES["onecycle"], HALF
    for arm, (schedule, steps) in arms.items():
        grid[arm] = losses_of(schedule, steps, seeds)
        own = {seed: chosen(grid[arm], seed) for seed in seeds}
        if steps == STEPS:
            values[f"{arm}.rate"] = measured(own)
            values[f"{arm}.log2_rate"] = measured({seed: math.log2(rate) for seed, rate in own.items()})
        values[f"{arm}.val_loss"] = measured({seed: grid[arm][rate][seed] for seed, rate in own.items()})
        finite = lambda loss: loss if math.isfinite(loss) else None
        tables[arm] = [[finite(grid[arm][rate][seed]) for rate in RATES] for seed in seeds]
    theirs = {seed: chosen(grid["onecycle"], seed) for seed in seeds}
    values["constant_unfair.val_loss"] = measured({seed: grid["constant"][rate][seed] for seed, rate in theirs.items()})
    theirs = {seed: chosen(grid["constant"], seed) for seed in seeds}
    values["onecycle_unfair.val_loss"] = measured({seed: grid["onecycle"][rate][seed] for seed, rate in theirs.items()})

    every = [own for seed in seeds for own in networks(seed)]
    traces = {trace.seed: trace for trace in range_tests(recipe(STEPS), every, LOW, HIGH, TEST_STEPS)}
    for name, of in (("suggested", lambda trace: trace.suggestion), ("lowest", lambda trace: trace.end)):
        logs = {seed: sum(math.log2(of(traces[own])) for own in networks(seed)) / REPEATS for seed in seeds}
        values[f"{name}.rate"] = measured({seed: 2**log for seed, log in logs.items()})
        values[f"{name}.log2_rate"] = measured(logs)
    tables["range"] = [[*trace.smooth.tolist(), *[None] * (TEST_STEPS - len(trace.smooth))] for trace in list(traces.values())[::REPEATS]]
    return values, tables


# %% pictures
NAMES = {
    "constant": Sentence("constant", "恒定"),
    "cosine": Sentence("cosine", "余弦"),
    "cosine_warm": Sentence("warm cosine", "预热余弦"),
    "cyclical": Sentence("cyclical", "循环"),
    "onecycle": Sentence("OneCycle", "OneCycle"),
}
LOSS, PEAK = Sentence("validation loss", "验证损失"), Sentence("peak rate", "峰值学习率")


def pictures(results, folder) -> None:
    """The figures, in both languages."""
    tables = results.tables
    grow = growing(LOW, HIGH, TEST_STEPS)
    line = lambda label, key: Theory(label, [results.value(key).mean] * 2, [0.5, 20])
    draw(
        folder / "range",
        Axes(
            Sentence("A range test", "学习率范围测试"),
            Sentence("rate", "学习率"),
            Sentence("training loss, smoothed", "训练损失（平滑后）"),
            log_x=True,
            log_y=True,
        ),
        [
            Curve(Sentence("measured", "实测"), [grow(step) for step in range(TEST_STEPS)], tables["range"]),
            line(Sentence("suggestion", "建议值"), "suggested.rate"),
            line(Sentence("lowest loss", "损失最低处"), "lowest.rate"),
        ],
    )
    beside = lambda name: [own / constant for own, constant in zip(tables["valley"][name], tables["valley"]["constant"])]
    draw(
        folder / "valley",
        Axes(
            Sentence("The best that each can reach in the valley", "在山谷里各种调度最好能到哪里"),
            Sentence("steps", "步数"),
            Sentence("loss at the end / that of a constant rate", "最终损失 / 恒定学习率的最终损失"),
            log_x=True,
        ),
        [Theory(NAMES[name], VALLEY_STEPS, beside(name)) for name in SCHEDULES],
    )
    draw(
        folder / "rates",
        Axes(Sentence("Loss at the end against the peak", "最终损失随峰值的变化"), PEAK, LOSS),
        [Curve(NAMES[name], RATES, tables[name]) for name in SCHEDULES],
    )
    arms = {**NAMES, "onecycle_half": Sentence("half OneCycle", "一半 OneCycle")}
    bars(
        folder / "ends",
        Axes(Sentence("Everybody at its own best peak", "各用自己的最佳峰值"), Sentence("schedule", "调度"), LOSS),
        [(label, results.value(f"{arm}.val_loss").values) for arm, label in arms.items()],
    )


# %% look
if __name__ == "__main__":
    results_, _ = measure(range(2))
    for key, value in results_.items():
        print(f"{key:28} {value.mean if value.mean is not None else value.values[0]:.4g}")
