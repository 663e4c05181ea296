"""Schedules: constant, cosine, linear or warm-up-stable-decay, each at its own best rate; and why lowering the rate lowers the loss."""

# %% setup
import torch

from danlu.core import Recipe
from danlu.data.mnist import MNIST
from danlu.errors import Sentence
from danlu.losses.classification import CrossEntropy
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD
from danlu.optim.schedules import WSD, Constant, Cosine, Linear
from danlu.study.ensemble import Ensemble, ensemble, sweep
from danlu.study.figure import Axes, Curve, Theory, draw
from danlu.study.results import measured
from danlu.techniques.reports.validate import Validate

STEPS, BATCH, WIDTH = 240, 64, 64
WARMUP = 12  # steps, the same for every schedule
RATES, MOMENTUM = (0.01, 0.03, 0.1, 0.3), 0.9
TUNING = (1001, 1002, 1003)  # seeds that choose the rate; no figure but the tuning picture comes from them
EVERY = 20  # steps between two looks at the validation rows
SCHEDULES = {
    "constant": Constant(warmup=WARMUP),
    "cosine": Cosine(warmup=WARMUP),
    "linear": Linear(warmup=WARMUP),
    "wsd": WSD(warmup=WARMUP, decay=0.25),
}
CURVATURE, NOISE, VALLEY_RATE, VALLEY_STEPS, WALKERS = 1.0, 1.0, 0.1, 200, 2000  # the noisy valley


# %% valley
VALLEY = {"constant": Constant(), "cosine": Cosine(), "wsd": WSD(decay=0.25, shape="linear")}


def walked(schedule, seed: int) -> list[float]:
    """Mean loss of WALKERS that descend c x**2 / 2 from x = 3, each with noise of its own on every gradient; before each step."""
    draw_ = torch.Generator().manual_seed(seed)
    factor, x, losses = schedule(VALLEY_STEPS), torch.full((WALKERS,), 3.0, dtype=torch.float64), []
    for step in range(VALLEY_STEPS):
        losses.append(float((CURVATURE * x**2 / 2).mean()))
        gradient = CURVATURE * x + NOISE * torch.randn(WALKERS, generator=draw_, dtype=torch.float64)
        x = x - VALLEY_RATE * factor(step) * gradient
    return losses


def predicted(schedule) -> list[float]:
    """The same without any chance: a step shrinks the mean of x**2 by (1 - rate c)**2, and noise adds rate**2 times its variance."""
    factor, square, losses = schedule(VALLEY_STEPS), 9.0, []
    for step in range(VALLEY_STEPS):
        losses.append(CURVATURE * square / 2)
        rate = VALLEY_RATE * factor(step)
        square = (1 - rate * CURVATURE) ** 2 * square + rate**2 * NOISE**2
    return losses


def library_walk(schedule, seed: int) -> list[float]:
    """`walked` by danlu's SGD and a schedule in torch's form."""
    draw_ = torch.Generator().manual_seed(seed)
    x = torch.full((WALKERS,), 3.0, dtype=torch.float64, requires_grad=True)
    optimizer = SGD(lr=VALLEY_RATE, momentum=0.0)([("x", x)])
    scheduler, losses = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule(VALLEY_STEPS)), []
    for _ in range(VALLEY_STEPS):
        losses.append(float((CURVATURE * x.detach() ** 2 / 2).mean()))
        x.grad = CURVATURE * x.detach() + NOISE * torch.randn(WALKERS, generator=draw_, dtype=torch.float64)
        optimizer.step()
        scheduler.step()
    return losses


# %% recipe
def recipe(steps: int = STEPS, every: int = EVERY) -> Recipe:
    """One hidden layer on digits: small enough that every schedule can be tried at every rate."""
    return Recipe(
        model=MLP(hidden=(WIDTH,)),
        data=MNIST(subset=True),
        loss=CrossEntropy(),
        optimizer=SGD(lr=0.1, momentum=MOMENTUM),
        steps=steps,
        batch_size=BATCH,
        validate=Validate(every=every),
    )


def trained(seeds, rates, steps: int = STEPS, every: int = EVERY, **schedules) -> Ensemble:
    """Every schedule at every rate with every seed, as one program."""
    return ensemble(sweep(recipe(steps, every), seeds=seeds, schedule=list(schedules.values()), **{"optimizer.lr": rates}))


# %% tuned
def tuned(found: Ensemble, schedule) -> float:
    """The rate at which the tuning seeds end lowest."""
    mean = lambda rate: sum(found.where(schedule=schedule, **{"optimizer.lr": rate}).last("val_loss").values())
    return min(RATES, key=mean)


# %% measure
def measure(seeds):
    """Everything that the page shows."""
    values, tables = {}, {"steps": list(range(EVERY, STEPS + 1, EVERY))}
    valley = {name: {seed: walked(schedule, seed) for seed in seeds} for name, schedule in VALLEY.items()}
    for name, losses in valley.items():
        values[f"valley_{name}.end"] = measured({seed: sum(found[-5:]) / 5 for seed, found in losses.items()})
        values[f"theory_{name}.end"] = measured(dict.fromkeys(seeds, sum(predicted(VALLEY[name])[-5:]) / 5))
    gaps = [abs(a - b) for a, b in zip(walked(VALLEY["cosine"], 0), library_walk(VALLEY["cosine"], 0))]
    values["valley.library_gap"] = measured(max(gaps))
    tables["valley"] = {name: [found[::4] for found in losses.values()] for name, losses in valley.items()}

    parts = [trained(TUNING, RATES, every=STEPS, **{name: schedule}) for name, schedule in SCHEDULES.items()]  # all at once: over 1 GB
    grid = Ensemble(tuple(member for part in parts for member in part.members))
    rates = {name: tuned(grid, schedule) for name, schedule in SCHEDULES.items()}
    tables["grid"] = {
        name: [[grid.where(schedule=s, seed=seed, **{"optimizer.lr": rate}).last("val_loss")[seed] for rate in RATES] for seed in TUNING]
        for name, s in SCHEDULES.items()
    }
    for name, schedule in SCHEDULES.items():
        found = trained(seeds, [rates[name]], **{name: schedule})
        values[f"{name}.val_loss"] = measured(found.last("val_loss"))
        values[f"{name}.rate"] = measured(rates[name])
        tables[name] = found.curve("val_loss")[1]

    same = trained(seeds, [rates["wsd"]], constant=SCHEDULES["constant"])  # the trunk that wsd branches off
    values["trunk.val_loss"] = measured(same.last("val_loss"))
    tables["trunk"] = same.curve("val_loss")[1]
    trunk, branch = ([losses[STEPS // 2 // EVERY - 1] for losses in tables[name]] for name in ("trunk", "wsd"))
    values["trunk.branch_gap"] = measured(max(abs(a - b) for a, b in zip(trunk, branch)))

    half = STEPS // 2
    for name in ("cosine", "wsd"):
        short = trained(seeds, [rates[name]], steps=half, **{name: SCHEDULES[name]})
        values[f"{name}_half.val_loss"] = measured(short.last("val_loss"))
        tables[f"{name}_half"] = short.curve("val_loss")[1]
    read = {seed: losses[half // EVERY - 1] for seed, losses in zip(seeds, tables["cosine"])}
    values["cosine_read.val_loss"] = measured(read)
    return values, tables


# %% pictures
NAMES = {
    "constant": Sentence("constant", "恒定"),
    "cosine": Sentence("cosine", "余弦"),
    "linear": Sentence("linear", "线性"),
    "wsd": Sentence("WSD", "WSD"),
}


def pictures(results, folder) -> None:
    """The figures, in both languages."""
    found, step = results.tables, Sentence("step", "步数")
    loss = Sentence("validation loss", "验证损失")
    places = list(range(0, VALLEY_STEPS, 4))
    theories = [
        Theory(Sentence(f"{NAMES[name].en}, theory", f"{NAMES[name].zh}，理论"), places, predicted(VALLEY[name])[::4]) for name in VALLEY
    ]
    draw(
        folder / "valley",
        Axes(Sentence("A valley with noise", "带噪声的山谷"), step, Sentence("mean loss", "平均损失"), log_y=True),
        [*[Curve(NAMES[name], places, found["valley"][name]) for name in VALLEY], *theories],
    )
    draw(
        folder / "rates",
        Axes(
            Sentence("How much each schedule minds its peak rate", "各种调度对峰值学习率有多敏感"),
            Sentence("peak rate", "峰值学习率"),
            loss,
            log_x=True,
            log_y=True,
        ),
        [Curve(NAMES[name], RATES, found["grid"][name]) for name in SCHEDULES],
    )
    late = len(found["steps"]) // 4
    draw(
        folder / "branch",
        Axes(Sentence("One trunk, two branches", "一根主干，两个分支"), step, loss),
        [
            Curve(Sentence("constant rate: the trunk", "恒定学习率：主干"), found["steps"][late:], [row[late:] for row in found["trunk"]]),
            Curve(
                Sentence("WSD", "WSD"),
                found["steps"][late:],
                [row[late:] for row in found["wsd"]],
            ),
            Curve(
                Sentence("WSD for half the steps", "步数减半的 WSD"),
                found["steps"][late : len(found["wsd_half"][0])],
                [row[late:] for row in found["wsd_half"]],
            ),
            Curve(Sentence("cosine", "余弦"), found["steps"][late:], [row[late:] for row in found["cosine"]]),
        ],
    )


# %% look
if __name__ == "__main__":
    results_, _ = measure(range(2))
    for key, value in results_.items():
        print(f"{key:28} {value.mean if value.mean is not None else value.values[0]:.4g}")
