"""Warm-up: what does it buy, and where does it buy nothing?"""

# %% setup
import math
from itertools import pairwise

import torch
from torch.nn.functional import cross_entropy

from danlu.core import Recipe, Run
from danlu.curvature.hessian import Hessian, top
from danlu.data.mnist import MNIST
from danlu.errors import Sentence
from danlu.losses.classification import CrossEntropy
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD, Adam
from danlu.optim.schedules import Constant, Linear
from danlu.study.ensemble import Ensemble, ensemble, sweep
from danlu.study.figure import Axes, Curve, Theory, draw
from danlu.study.results import measured
from danlu.techniques.reports.validate import Validate

STEPS, BATCH, WARMUP = 160, 32, 40
HIDDEN = (32,) * 6
SGD_RATES = tuple(0.05 * 2**place for place in range(7))
ADAM_RATES = tuple(0.002 * 2**place for place in range(9))
SETTINGS = {  # optimiser, normalisation, rates
    "sgd": (SGD(momentum=0.0), "none", SGD_RATES),
    "norm": (SGD(momentum=0.0), "layer", SGD_RATES),
    "adam": (Adam(), "none", ADAM_RATES),
    "adam_norm": (Adam(), "layer", ADAM_RATES),
}
WARMUPS = {
    "none": Linear(),
    "linear": Linear(warmup=WARMUP),
    "exponential": Linear(warmup=WARMUP, warmup_shape="exponential"),
}
CURVATURE, VALLEY_STEPS = 1.0, 400
WATCHED_RATE, LOOKS, ROWS = 0.2, (0, 5, 10, 20, 30, 40), 1000  # the training whose curvature is watched
LENGTH_RATE, EARLY, LATE = 0.001, 10, 110  # Adam's steps: the first ten, and those after step 110


# %% valley
def stable(rate: float, warmup: int) -> bool:
    """Whether a walker in the valley c x**2 / 2 is still coming nearer to the bottom when the steps are over."""
    sizes, size = [], 1.0
    for step in range(VALLEY_STEPS):
        size *= abs(1 - rate * min(1.0, (step + 1) / (warmup + 1)) * CURVATURE)
        sizes.append(size)
    return sizes[-1] < sizes[-100]


def valley_edge(warmup: int) -> float:
    """The highest stable rate, on a fine grid."""
    return max(rate for rate in (0.005 * place for place in range(300, 500)) if stable(rate, warmup))


# %% scratch
def ramp(step: int, warmup: int, shape: str) -> float:
    """The factor of the peak rate: equal amounts, or equal ratios from a hundredth; `warmup` steps, then one."""
    climbed = min(1.0, (step + 1) / (warmup + 1))
    return climbed if shape == "linear" else 0.01 ** (1 - climbed)


def by_hand(shape: str, rate: float = 0.05, steps: int = 60, warmup: int = 20) -> torch.Tensor:
    """Where Adam with warm-up gets in a valley with two curvatures."""
    x, mean, square = torch.ones(2, dtype=torch.float64), torch.zeros(2), torch.zeros(2)
    for step in range(steps):
        gradient = torch.tensor([1.0, 30.0], dtype=torch.float64) * x
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        unbiased = mean / (1 - 0.9 ** (step + 1)), square / (1 - 0.999 ** (step + 1))
        x = x - rate * ramp(step, warmup, shape) * unbiased[0] / (unbiased[1].sqrt() + 1e-8)
    return x


def by_library(shape: str, rate: float = 0.05, steps: int = 60, warmup: int = 20) -> torch.Tensor:
    """The same by danlu's Adam and schedule."""
    x = torch.ones(2, dtype=torch.float64, requires_grad=True)
    optimizer, factor = Adam(lr=rate)([("x", x)]), Constant(warmup=warmup, warmup_shape=shape)(steps)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = rate * factor(step)
        x.grad = torch.tensor([1.0, 30.0], dtype=torch.float64) * x.detach()
        optimizer.step()
    return x.detach()


# %% recipe
def recipe(setting: str, rate: float, schedule, steps: int = STEPS, seed: int = 0) -> Recipe:
    """Six hidden layers; after the warm-up the rate falls to zero in a straight line."""
    optimizer, norm, _ = SETTINGS[setting]
    return Recipe(
        model=MLP(hidden=HIDDEN, norm=norm),
        data=MNIST(subset=True),
        loss=CrossEntropy(),
        optimizer=type(optimizer)(**{**vars(optimizer), "lr": rate}),
        schedule=schedule,
        steps=steps,
        batch_size=BATCH,
        validate=Validate(every=steps),
        seed=seed,
    )


def trained(setting: str, warmup: str, seeds) -> Ensemble:
    """Every rate with every seed, as one program."""
    rates = SETTINGS[setting][2]
    return ensemble(sweep(recipe(setting, rates[0], WARMUPS[warmup]), seeds=seeds, **{"optimizer.lr": rates}))


# %% judged
def edge(accuracy: dict[float, float]) -> float:
    """The rate above the best one at which accuracy falls through half of its best, on a straight line over the rate's logarithm."""
    best = max(accuracy, key=lambda rate: accuracy[rate])
    for low, high in pairwise(rate for rate in sorted(accuracy) if rate >= best):
        if accuracy[high] < accuracy[best] / 2:
            share = (accuracy[low] - accuracy[best] / 2) / (accuracy[low] - accuracy[high])
            return low * (high / low) ** share
    return max(accuracy)


def chosen(losses: dict[float, dict[int, float]], seed: int) -> float:
    """The rate that is best on average for the other seeds."""
    others = lambda rate: [loss if math.isfinite(loss) else math.inf for own, loss in losses[rate].items() if own != seed]
    return min(losses, key=lambda rate: sum(others(rate)))


# %% lengths
def lengths(seed: int) -> list[float]:
    """Root of the mean square of each of Adam's steps, divided by the rate."""
    found = []
    with Run(recipe("adam", LENGTH_RATE, None, seed=seed)) as run:
        before = [p.detach().clone() for p in run.trainable()]
        for _ in run:
            moved = torch.cat([(p.detach() - old).flatten() for p, old in zip(run.trainable(), before)])
            found.append(float(moved.square().mean().sqrt()) / LENGTH_RATE)
            before = [p.detach().clone() for p in run.trainable()]
    return found


def of_noise(step: int, beta: float = 0.9) -> float:
    """The same if the gradients were nothing but noise of a constant size; step counts from 1."""
    return math.sqrt((1 - beta) * (1 + beta**step) / ((1 + beta) * (1 - beta**step)))


# %% curvature
def curvatures(seed: int) -> list[float]:
    """The largest curvature at each of LOOKS, while SGD is warmed up."""
    found = []
    with Run(recipe("sgd", WATCHED_RATE, WARMUPS["linear"], seed=seed)) as run:
        inputs, labels = run.data.train.fetch(torch.arange(ROWS), 0)
        hessian = Hessian(lambda: iter([cross_entropy(run.model(inputs), labels)]), dict(run.model.named_parameters()))
        reports = iter(run)
        for look in LOOKS:
            while run.step < look:
                next(reports)
            found.append(top(hessian, count=1, steps=20, tolerance=1e-2).values[0])
    return found


# %% measure
def measure(seeds):
    """Everything that the page shows."""
    values, tables = {}, {"seeds": list(seeds), "accuracy": {}}
    values["valley.edge_none"] = measured(valley_edge(0))
    values["valley.edge_warm"] = measured(valley_edge(WARMUP))
    values["valley.formula"] = measured(2 / CURVATURE)
    gaps = [float((by_hand(shape) - by_library(shape)).abs().max()) for shape in ("linear", "exponential")]
    values["scratch.library_gap"] = measured(max(gaps))

    for setting, (_, _, rates) in SETTINGS.items():
        for warmup in WARMUPS if setting == "adam" else ("none", "linear"):
            arm, found = f"{setting}_{warmup}", trained(setting, warmup, seeds)
            at = {rate: found.where(**{"optimizer.lr": rate}) for rate in rates}
            accuracy = {rate: part.last("val_accuracy") for rate, part in at.items()}
            bad = lambda loss: math.inf if loss is None else loss
            losses = {rate: {seed: bad(loss) for seed, loss in part.last("val_loss").items()} for rate, part in at.items()}
            edges = {seed: edge({rate: accuracy[rate][seed] for rate in rates}) for seed in seeds}
            values[f"{arm}.edge"] = measured(edges)
            values[f"{arm}.log2_edge"] = measured({seed: math.log2(found) for seed, found in edges.items()})
            own = {seed: chosen(losses, seed) for seed in seeds}
            values[f"{arm}.val_loss"] = measured({seed: losses[rate][seed] for seed, rate in own.items()})
            tables["accuracy"][arm] = [[accuracy[rate][seed] for rate in rates] for seed in seeds]
    for setting in SETTINGS:
        linear, none = (values[f"{setting}_{warmup}.log2_edge"].values for warmup in ("linear", "none"))
        values[f"{setting}_gain.power"] = measured({seed: a - b for seed, a, b in zip(seeds, linear, none)})

    steps = {seed: lengths(seed) for seed in seeds}
    for name, part in (("early", slice(0, EARLY)), ("late", slice(LATE, None))):
        means = {seed: sum(found[part]) / len(found[part]) for seed, found in steps.items()}
        values[f"{name}.length"] = measured(means)
        values[f"{name}.log2_length"] = measured({seed: math.log2(mean) for seed, mean in means.items()})
    values["first.length"] = measured({seed: found[0] for seed, found in steps.items()})
    tables["lengths"] = [[found[place] for place in (*range(20), *range(20, STEPS, 5))] for found in steps.values()]

    sharp = {seed: curvatures(seed) for seed in seeds}
    for name, place in (("start", 0), ("warmed", -1)):
        values[f"{name}.curvature"] = measured({seed: found[place] for seed, found in sharp.items()})
        values[f"{name}.log2_curvature"] = measured({seed: math.log2(found[place]) for seed, found in sharp.items()})
        values[f"{name}.limit"] = measured({seed: 2 / found[place] for seed, found in sharp.items()})
    tables["limits"] = [[2 / curvature for curvature in found] for found in sharp.values()]
    return values, tables


# %% pictures
NAMES = {
    "none": Sentence("no warm-up", "不预热"),
    "linear": Sentence("linear", "线性预热"),
    "exponential": Sentence("exponential", "指数预热"),
}
ACCURACY, PEAK, STEP = Sentence("validation accuracy", "验证准确率"), Sentence("peak rate", "峰值学习率"), Sentence("step", "步数")


def pictures(results, folder) -> None:
    """The figures, in both languages."""
    tables = results.tables
    for name, title in (
        ("sgd", Sentence("SGD: what the network bears", "SGD：网络能承受多大的学习率")),
        ("adam", Sentence("Adam: what the network bears", "Adam：网络能承受多大的学习率")),
    ):
        normed = "norm" if name == "sgd" else "adam_norm"
        arms = [(name, warmup, NAMES[warmup]) for warmup in WARMUPS if f"{name}_{warmup}" in tables["accuracy"]]
        arms += [(normed, w, Sentence(f"LayerNorm, {NAMES[w].en}", f"LayerNorm，{NAMES[w].zh}")) for w in ("none", "linear")]
        draw(
            folder / name,
            Axes(title, PEAK, ACCURACY, log_x=True),
            [Curve(label, SETTINGS[setting][2], tables["accuracy"][f"{setting}_{warmup}"]) for setting, warmup, label in arms],
        )
    steps = [place + 1 for place in (*range(20), *range(20, STEPS, 5))]
    draw(
        folder / "lengths",
        Axes(
            Sentence("How long Adam's steps are", "Adam 的步子有多长"),
            STEP,
            Sentence("length of a step / rate", "步长 / 学习率"),
            log_x=True,
        ),
        [
            Curve(Sentence("measured", "实测"), steps, tables["lengths"]),
            Theory(Sentence("if gradients were noise", "假如梯度全是噪声"), steps, [of_noise(step) for step in steps]),
        ],
    )
    fine = list(range(LOOKS[-1] + 1))
    draw(
        folder / "limit",
        Axes(
            Sentence("Does the limit move out of the way?", "上限会自己让路吗？"),
            STEP,
            Sentence("learning rate", "学习率"),
        ),
        [
            Curve(Sentence("2 / largest curvature", "2 / 最大曲率"), LOOKS, tables["limits"]),
            Theory(Sentence("rate of the warm-up", "预热中的学习率"), fine, [WATCHED_RATE * ramp(step, WARMUP, "linear") for step in fine]),
        ],
    )


# %% look
if __name__ == "__main__":
    results_, _ = measure(range(2))
    for key, value in results_.items():
        print(f"{key:28} {value.mean if value.mean is not None else value.values[0]:.4g}")
