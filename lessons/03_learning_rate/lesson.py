"""Learning rate: how wide is the window in which training works, and can a formula say where it ends?"""

# %% setup
import math

import torch
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from danlu.core import Recipe, Run
from danlu.data.mnist import MNIST
from danlu.errors import Sentence
from danlu.losses.classification import CrossEntropy
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD
from danlu.study.ensemble import Ensemble, ensemble, sweep
from danlu.study.figure import Axes, Curve, Theory, draw
from danlu.study.results import measured

RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 3.0, 10.0)
STEPS, BATCH, WIDTH = 300, 64, 64
TOGETHER = 15  # networks that are trained as one program: more would need more memory and be no faster
LOOKED_AT = (0.03, 0.1, 0.2, 0.3, 0.5)  # rates whose end point is looked at more closely
HIGH = 0.3  # a rate near the upper end of the window
ROWS = 2000  # rows on which the curvature is measured
CURVATURES, FALL_STEPS = (1.0, 4.0), 20  # the two-dimensional valley


# %% valley
def fall(rate: float) -> float:
    """How far from the bottom of the valley sum(c * x**2) / 2 we are after FALL_STEPS steps from distance one on each axis."""
    position = [1.0 for _ in CURVATURES]
    for _ in range(FALL_STEPS):
        slope = [c * x for c, x in zip(CURVATURES, position)]
        position = [x - rate * s for x, s in zip(position, slope)]
    return math.hypot(*position)


def predicted_fall(rate: float) -> float:
    """The same in closed form: each axis shrinks by |1 - rate * c| a step."""
    return math.hypot(*(abs(1 - rate * c) ** FALL_STEPS for c in CURVATURES))


def library_fall(rate: float) -> float:
    """The same by danlu's SGD."""
    position = torch.ones(len(CURVATURES), dtype=torch.float64, requires_grad=True)
    optimizer = SGD(lr=rate, momentum=0.0)([("position", position)])
    for _ in range(FALL_STEPS):
        optimizer.zero_grad()
        (torch.tensor(CURVATURES, dtype=torch.float64) * position**2 / 2).sum().backward()
        optimizer.step()
    return float(position.detach().norm())


# %% sweep
def arm(rate: float) -> str:
    """How results call a rate: lr_0_1."""
    return f"lr_{rate:g}".replace(".", "_")


def recipe() -> Recipe:
    """One hidden layer, plain SGD, no schedule: the rate and nothing else."""
    return Recipe(
        model=MLP(hidden=(WIDTH,)),
        data=MNIST(subset=True),
        loss=CrossEntropy(),
        optimizer=SGD(lr=0.1, momentum=0.0),
        steps=STEPS,
        batch_size=BATCH,
    )


def trained(seeds):
    """Every rate with every seed, a few rates at a time as one program."""
    at_once = max(1, TOGETHER // len(seeds))
    parts = [RATES[place : place + at_once] for place in range(0, len(RATES), at_once)]
    found = [ensemble(sweep(recipe(), seeds=seeds, **{"optimizer.lr": part})) for part in parts]
    return Ensemble(tuple(member for part in found for member in part.members))


# %% curvature
def sharpness(run: Run, weights: dict[str, torch.Tensor] | None = None) -> float:
    """The largest curvature of the loss in any direction (largest eigenvalue of the Hessian), by 30 rounds of power iteration."""
    inputs, labels = run.data.train.fetch(torch.arange(ROWS), 0)
    names = [name for name, _ in run.model.named_parameters()]
    point = {**dict(run.model.named_parameters()), **(weights or {})}
    at = [point[name].detach().clone().requires_grad_() for name in names]
    loss = cross_entropy(functional_call(run.model, dict(zip(names, at)), inputs), labels)
    gradient = torch.autograd.grad(loss, at, create_graph=True)
    direction = [torch.randn(p.shape, generator=torch.Generator().manual_seed(place)) for place, p in enumerate(at)]
    largest = 0.0
    for _ in range(30):
        length = math.sqrt(sum(float((d * d).sum()) for d in direction))
        direction = [d / length for d in direction]
        turned = torch.autograd.grad(gradient, at, direction, retain_graph=True)
        largest = sum(float((d * t).sum()) for d, t in zip(direction, turned))
        direction = list(turned)
    return largest


def edge(accuracies: dict[float, float]) -> float:
    """The first rate above the best one with which the network learns less than half as well."""
    best = max(accuracies, key=lambda rate: accuracies[rate])
    return next(rate for rate in sorted(accuracies) if rate > best and accuracies[rate] < accuracies[best] / 2)


# %% measure
def measure(seeds):
    """Everything that the page shows: values with one figure a seed, and tables for the pictures."""
    found = trained(seeds)
    arms = {rate: found.where(**{"optimizer.lr": rate}) for rate in RATES}
    accuracy = {rate: part.last("val_accuracy") for rate, part in arms.items()}
    values = {f"{arm(rate)}.val_accuracy": measured(accuracy[rate]) for rate in RATES}

    runs = {seed: Run(Recipe(**{**vars(recipe()), "seed": seed})) for seed in seeds}
    start = {seed: sharpness(run) for seed, run in runs.items()}
    ends = {rate: {m.recipe.seed: sharpness(runs[m.recipe.seed], m.weights) for m in arms[rate].members} for rate in LOOKED_AT}
    values["start.sharpness"] = measured(start)
    values |= {f"{arm(rate)}.sharpness": measured(end) for rate, end in ends.items()}
    values["stable.sharpness"] = measured(dict.fromkeys(seeds, 2 / HIGH))

    edges = {seed: edge({rate: accuracy[rate][seed] for rate in RATES}) for seed in seeds}
    values["formula.edge"] = measured({seed: 2 / sharp for seed, sharp in start.items()})
    values["training.edge"] = measured(edges)
    values["formula.log_edge"] = measured({seed: math.log10(2 / sharp) for seed, sharp in start.items()})
    values["training.log_edge"] = measured({seed: math.log10(rate) for seed, rate in edges.items()})

    falls = [0.02 * step for step in range(1, 27)]
    values["valley.library_gap"] = measured(max(abs(fall(rate) - library_fall(rate)) for rate in falls))
    values["valley.formula_gap"] = measured(max(abs(fall(rate) - predicted_fall(rate)) for rate in falls))
    values["valley.edge"] = measured(2 / max(CURVATURES))
    tables = {
        "falls": [[rate, fall(rate), predicted_fall(rate)] for rate in falls],
        "seeds": list(seeds),
        "losses": {f"{rate:g}": [m.losses[9::10].tolist() for m in arms[rate].members] for rate in (0.001, 0.2, 1.0)},
    }
    return values, tables


# %% pictures
RATE = Sentence("learning rate", "学习率")


def pictures(results, folder) -> None:
    """The figures, in both languages, out of what was measured."""
    seeds = range(len(results.tables["seeds"]))
    accuracy = [[results.value(f"{arm(rate)}.val_accuracy").values[seed] for rate in RATES] for seed in seeds]
    predicted = results.value("formula.edge").mean
    draw(
        folder / "window",
        Axes(
            Sentence("The window of the learning rate", "学习率的可用范围"), RATE, Sentence("validation accuracy", "验证准确率"), log_x=True
        ),
        [
            Curve(Sentence("measured", "实测"), RATES, accuracy),
            Theory(Sentence("where the formula puts the edge", "公式预测的边界"), [predicted, predicted], [0, 1]),
        ],
    )
    ends = [[results.value(f"{arm(rate)}.sharpness").values[seed] for rate in LOOKED_AT] for seed in seeds]
    draw(
        folder / "sharpness",
        Axes(
            Sentence("How sharp the place is where training ends", "训练终点处的曲率"),
            RATE,
            Sentence("largest curvature", "最大曲率"),
            log_x=True,
            log_y=True,
        ),
        [
            Curve(Sentence("measured at the end", "终点处实测"), LOOKED_AT, ends),
            Theory(
                Sentence("2 / rate: all that this rate can bear", "2/学习率：这一学习率所能承受的上限"),
                LOOKED_AT,
                [2 / r for r in LOOKED_AT],
            ),
        ],
    )
    steps = [10 * (place + 1) for place in range(STEPS // 10)]
    draw(
        folder / "losses",
        Axes(
            Sentence("Too small, good, too large", "太小、合适、太大"),
            Sentence("step", "步数"),
            Sentence("training loss", "训练损失"),
            log_y=True,
        ),
        [Curve(Sentence(f"rate {rate}", f"学习率 {rate}"), steps, curves) for rate, curves in results.tables["losses"].items()],
    )


# %% look
if __name__ == "__main__":
    values, _ = measure(range(3))
    for key, value in values.items():
        print(f"{key:24} {value.mean if value.mean is not None else value.values[0]:.4g}")
