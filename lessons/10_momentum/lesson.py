"""Momentum: why does it speed training up, and how much of that is only a larger rate?"""

# %% setup
import math

import torch

from danlu.core import Recipe
from danlu.data.mnist import MNIST
from danlu.errors import Sentence
from danlu.losses.classification import CrossEntropy
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD
from danlu.optim.schedules import Linear
from danlu.study.ensemble import Ensemble, ensemble, sweep
from danlu.study.figure import Axes, Curve, Theory, draw
from danlu.study.results import measured

AXES, CONDITIONS, SHRINK = 20, (10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0), 1e-6  # the valley
WIDTH, MOMENTUM = 32, 0.9
SMALL_BATCH, SMALL_STEPS = 32, 300
LARGE_BATCH, LARGE_STEPS = 512, 60
RATES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)  # effective ones: how far a step goes in the long run along a steady gradient
WRITTEN, MATCHED = 0.03, 0.1  # a rate as one writes it down, and an effective one
TUNING = (1001, 1002)  # seeds that choose the rate
GUESS = math.log(10)  # the loss of a blind guess among ten classes
ARMS = {
    "plain": SGD(momentum=0.0),
    "momentum": SGD(momentum=MOMENTUM),
    "nesterov": SGD(momentum=MOMENTUM, nesterov=True),
}


# %% scratch
def best(name: str, condition: float) -> tuple[float, float, float]:
    """(rate, momentum, factor a step) that theory calls best for curvatures from 1 / condition to 1."""
    root = math.sqrt(condition)
    if name == "plain":
        return 2 / (1 + 1 / condition), 0.0, (condition - 1) / (condition + 1)
    if name == "momentum":
        return 4 / (1 + 1 / root) ** 2, ((root - 1) / (root + 1)) ** 2, (root - 1) / (root + 1)
    root = math.sqrt(3 * condition + 1)
    return 4 / (3 + 1 / condition), (root - 2) / (root + 2), 1 - 2 / root


def walk(name: str, x: torch.Tensor, curvatures: torch.Tensor, rate: float, momentum: float):
    """Positions [seeds, axes] in the valley sum(c * x**2) / 2, one step after the other."""
    velocity = torch.zeros_like(x)
    while True:
        yield x
        gradient = curvatures * x
        velocity = momentum * velocity + gradient
        step = gradient + momentum * velocity if name == "nesterov" else velocity
        x = x - rate * step


# %% valley
def steps_needed(name: str, condition: float, seeds) -> list[int]:
    """For each seed, the steps until its distance from the bottom stays below SHRINK times that at the start."""
    curvatures = torch.logspace(-math.log10(condition), 0, AXES, dtype=torch.float64)
    start = torch.stack([torch.randn(AXES, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) for seed in seeds])
    rate, momentum, factor = best(name, condition)
    most = math.ceil(1.5 * math.log(SHRINK) / math.log(factor)) + 50
    last = torch.zeros(len(start), dtype=torch.long)
    for step, x in zip(range(most), walk(name, start, curvatures, rate, momentum)):
        last[x.norm(dim=1) > SHRINK * start.norm(dim=1)] = step + 1
    return last.tolist()


def exponent(steps: list[float]) -> float:
    """p, where steps grow as condition ** p: the slope of the best straight line in logarithms."""
    x = torch.tensor(CONDITIONS, dtype=torch.float64).log()
    y = torch.tensor(steps, dtype=torch.float64).log()
    return float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())


def library_gap(name: str, steps: int = 100) -> float:
    """The largest difference between `walk` and danlu's SGD on the way down a valley of condition 100."""
    curvatures = torch.logspace(-2, 0, AXES, dtype=torch.float64)
    rate, momentum, _ = best(name, 100.0)
    x = torch.ones(AXES, dtype=torch.float64, requires_grad=True)
    optimizer = SGD(lr=rate, momentum=momentum, nesterov=name == "nesterov")([("x", x)])
    gap = 0.0
    for _, own in zip(range(steps), walk(name, torch.ones(1, AXES, dtype=torch.float64), curvatures, rate, momentum)):
        gap = max(gap, float((own[0] - x.detach()).abs().max()))
        optimizer.zero_grad()
        (curvatures * x**2 / 2).sum().backward()
        optimizer.step()
    return gap


# %% network
def written(arm: str, effective: float) -> float:
    """The rate to write down: along a steady gradient momentum m adds up to 1 / (1 - m) steps."""
    return effective * (1 - ARMS[arm].momentum)


def trained(arm: str, seeds, rates, batch: int, steps: int) -> Ensemble:
    """One arm at some effective rates, half of them at a time as one program."""
    recipe = Recipe(
        model=MLP(hidden=(WIDTH,)),
        data=MNIST(subset=True),
        loss=CrossEntropy(),
        optimizer=ARMS[arm],
        schedule=Linear(),
        steps=steps,
        batch_size=batch,
    )
    lrs, middle = [written(arm, rate) for rate in rates], len(rates) // 2
    parts = [ensemble(sweep(recipe, seeds=seeds, **{"optimizer.lr": part})) for part in (lrs[:middle], lrs[middle:])]
    return Ensemble(tuple(member for part in parts for member in part.members))


def ends(found: Ensemble, arm: str, metric: str = "val_loss") -> dict[float, dict[int, float]]:
    """effective rate -> seed -> the metric at the end; what is no number counts as infinite."""
    each = {rate: found.where(**{"optimizer.lr": written(arm, rate)}).last(metric) for rate in RATES}
    return {rate: {seed: math.inf if v is None else v for seed, v in values.items()} for rate, values in each.items()}


def edge(accuracies: dict[float, float]) -> float:
    """The first rate above the best one with which the network learns less than half as well."""
    top = max(accuracies, key=lambda rate: accuracies[rate])
    return next(rate for rate in RATES if rate > top and accuracies[rate] < accuracies[top] / 2)


# %% measure
def measure(seeds):
    """Everything that the page shows."""
    values, tables = {}, {"steps": {}, "losses": {}}
    for arm in ARMS:
        needed = [steps_needed(arm, condition, seeds) for condition in CONDITIONS]
        tables["steps"][arm] = [list(row) for row in zip(*needed)]
        values[f"{arm}.slope"] = measured({seed: exponent(row) for seed, row in zip(seeds, tables["steps"][arm])})
        values[f"{arm}.steps_1000"] = measured(dict(zip(seeds, needed[CONDITIONS.index(1000.0)])))
        values[f"{arm}.library_gap"] = measured(library_gap(arm))
    values["one.slope"] = measured(dict.fromkeys(seeds, 1.0))
    values["half.slope"] = measured(dict.fromkeys(seeds, 0.5))

    small, large = ("small", SMALL_BATCH, SMALL_STEPS, list(ARMS)[:2]), ("large", LARGE_BATCH, LARGE_STEPS, list(ARMS))
    for size, batch, steps, arms in (small, large):
        for arm in arms:
            found = trained(arm, [*seeds, *TUNING], RATES, batch, steps)
            losses, accuracies = ends(found, arm), ends(found, arm, "val_accuracy")
            rate = min(RATES, key=lambda rate: sum(losses[rate][seed] for seed in TUNING))
            edges = {seed: edge({r: accuracies[r][seed] for r in RATES}) for seed in seeds}
            values[f"{size}_{arm}.val_loss"] = measured({seed: losses[rate][seed] for seed in seeds})
            values[f"{size}_{arm}.val_accuracy"] = measured({seed: accuracies[rate][seed] for seed in seeds})
            values[f"{size}_{arm}.rate"] = measured(rate)
            values[f"{size}_{arm}.edge"] = measured(edges)
            values[f"{size}_{arm}.log_edge"] = measured({seed: math.log10(r) for seed, r in edges.items()})
            tables["losses"][f"{size}_{arm}"] = [[shown(losses[r][seed]) for r in RATES] for seed in seeds]
            if size == "small":
                same = RATES[RATES.index(WRITTEN) + 2] if arm == "momentum" else WRITTEN  # lr = WRITTEN is ten times as much with 0.9
                values[f"written_{arm}.val_loss"] = measured({seed: losses[same][seed] for seed in seeds})
                values[f"matched_{arm}.val_loss"] = measured({seed: losses[MATCHED][seed] for seed in seeds})
    edges = {arm: dict(zip(seeds, values[f"large_{arm}.edge"].values)) for arm in ARMS}
    values["large.edge_ratio"] = measured({seed: edges["momentum"][seed] / edges["plain"][seed] for seed in seeds})
    return values, tables


def shown(loss: float) -> float | None:
    """What a picture shows: nothing where the network is no better than a blind guess."""
    return loss if loss < GUESS else None


# %% pictures
NAMES = {
    "plain": Sentence("plain", "无动量"),
    "momentum": Sentence("momentum 0.9", "动量 0.9"),
    "nesterov": Sentence("Nesterov 0.9", "Nesterov 0.9"),
}


def pictures(results, folder) -> None:
    """The figures, in both languages."""
    found, loss = results.tables, Sentence("validation loss", "验证损失")
    theory = {arm: [math.log(SHRINK) / math.log(best(arm, c)[2]) for c in CONDITIONS] for arm in ARMS}
    plain = {"plain": NAMES["plain"], "momentum": Sentence("momentum", "动量"), "nesterov": Sentence("Nesterov", "Nesterov")}
    draw(
        folder / "valley",
        Axes(
            Sentence("Steps to a millionth of the distance", "距离缩小到百万分之一所需的步数"),
            Sentence("condition number", "条件数"),
            Sentence("steps", "步数"),
            log_x=True,
            log_y=True,
        ),
        [
            *[Curve(plain[arm], CONDITIONS, found["steps"][arm]) for arm in ARMS],
            *[Theory(Sentence(f"{plain[arm].en}, theory", f"{plain[arm].zh}，理论"), CONDITIONS, theory[arm]) for arm in ARMS],
        ],
    )
    as_written = {arm: [written(arm, rate) for rate in RATES] for arm in ARMS}
    for name, size, rates, title, x in (
        (
            "written",
            "small",
            as_written,
            Sentence("Small batches, by the rate as written", "小批量，按写下的学习率"),
            Sentence("learning rate as written", "写下的学习率"),
        ),
        (
            "small",
            "small",
            dict.fromkeys(ARMS, RATES),
            Sentence("Small batches, by the effective rate", "小批量，按有效学习率"),
            Sentence("effective rate: lr / (1 - momentum)", "有效学习率：lr / (1 − 动量)"),
        ),
        (
            "large",
            "large",
            dict.fromkeys(ARMS, RATES),
            Sentence("Large batches, by the effective rate", "大批量，按有效学习率"),
            Sentence("effective rate: lr / (1 - momentum)", "有效学习率：lr / (1 − 动量)"),
        ),
    ):
        draw(
            folder / name,
            Axes(title, x, loss, log_x=True, log_y=True),
            [Curve(NAMES[arm], rates[arm], found["losses"][f"{size}_{arm}"]) for arm in ARMS if f"{size}_{arm}" in found["losses"]],
        )


# %% look
if __name__ == "__main__":
    results_, _ = measure(range(2))
    for key, value in results_.items():
        print(f"{key:32} {value.mean if value.mean is not None else value.values[0]:.4g}")
