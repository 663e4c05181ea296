"""Weight decay: which weights does a penalty remove, what does Adam make of it, and what does the number mean?"""

# %% setup
import math
from dataclasses import replace
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from danlu.core import Recipe, Run
from danlu.data.images import image_data
from danlu.data.mnist import MNIST
from danlu.errors import Sentence
from danlu.losses.classification import CrossEntropy
from danlu.losses.regression import MSE
from danlu.nets.facts import evaluating
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD, Adam, AdamW
from danlu.study.ensemble import Ensemble, ensemble, sweep
from danlu.study.figure import Axes, Curve, Theory, draw
from danlu.study.results import measured
from danlu.techniques.objective.elastic import Elastic
from danlu.techniques.objective.l1 import L1
from danlu.techniques.objective.l2 import L2
from danlu.techniques.reports.validate import Validate

WEIGHTS, FIT_ROWS, FIT_STEPS, FIT_RATE = 41, 100, 200, 0.03  # of the regression; least squares alone would give -2 .. 2
IMAGES, STEPS, BATCH, WIDTH, EVERY = 1000, 300, 50, 64, 20
TUNING = (1001, 1002)  # seeds that choose strengths, and nothing else
STRENGTHS = {"l2": (0.001, 0.003, 0.01, 0.03), "l1": (0.0001, 0.0003, 0.001, 0.003), "elastic": (0.00003, 0.0001, 0.0003, 0.001)}
SHARES, PRUNED = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98), 0.9
FEW, FEW_STEPS = 500, 400
RATES, DECAYS = (0.001, 0.003, 0.01, 0.03), (0.0, 0.1, 0.3, 1.0, 3.0)
SLOW, FAST = 0.003, 0.03  # both fast enough to overfit without decay


# %% fit
def least_squares() -> Tensor:
    """What the weights would be without a penalty."""
    return torch.linspace(-2, 2, WEIGHTS)


def regression(seed: int) -> tuple[Tensor, Tensor]:
    """Rows x [FIT_ROWS, WEIGHTS] whose columns are orthogonal, of mean square one and mean zero, and targets without noise."""
    random = torch.randn(FIT_ROWS, WEIGHTS + 1, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    random[:, 0] = 1
    columns = torch.linalg.qr(random)[0][:, 1:] * math.sqrt(FIT_ROWS)
    return columns.float(), (columns.float() @ least_squares())[:, None]


def fitted(penalty, seed: int) -> list[float]:
    """The weights after full gradient descent on mean (x w - y)^2 + penalty, by danlu."""
    recipe = Recipe(
        model=MLP(hidden=()),
        data=regression(seed),
        loss=MSE(),
        optimizer=SGD(lr=FIT_RATE, momentum=0.0),
        techniques=(penalty,),
        steps=FIT_STEPS,
        batch_size=FIT_ROWS,
        seed=seed,
    )
    with Run(recipe) as run:
        for _ in run:
            pass
        return next(run.model.parameters()).detach()[0].tolist()


def soft(w: Tensor, threshold: float) -> Tensor:
    """Nearer to zero by the threshold, and zero where that would lead beyond."""
    return w.sign() * (w.abs() - threshold).clamp(min=0)


def formula(w: Tensor, l1: float, l2: float) -> Tensor:
    """The lowest point of (v - w)^2 + l1 |v| + l2 v^2 / 2."""
    return soft(w, l1 / 2) / (1 + l2 / 2)


def proximal(l1: float, seed: int) -> Tensor:
    """L1 from scratch: a step on the data alone, then the soft threshold; this makes true zeros."""
    x, y = regression(seed)
    w = torch.zeros(WEIGHTS, 1)
    for _ in range(FIT_STEPS):
        gradient = 2 * x.T @ (x @ w - y) / len(x)
        w = soft(w - FIT_RATE * gradient, FIT_RATE * l1)
    return w[:, 0]


PENALTIES = {"l2": (L2(weight=1.0), (0.0, 1.0)), "l1": (L1(weight=1.0), (1.0, 0.0)), "elastic": (Elastic(l1=0.5, l2=0.5), (0.5, 0.5))}


# %% digits
@cache
def digits(images: int):
    """Digits of 14 x 14 pixels from 0 to 1, so that what is black gives no gradient; the first `images` of them to train on."""
    data = MNIST(subset=True)()
    small = lambda rows: (avg_pool2d(rows.images.float(), 2).round().to(torch.uint8), rows.targets)
    train, val = small(data.train), small(data.val)
    return image_data({"train": (train[0][:images], train[1][:images]), "val": val}, tuple("0123456789"), (0.0,), (255.0,), "none", 0)


def black(images: int) -> Tensor:
    """Which pixels are black in every training image."""
    return digits(images).train.images.flatten(1).amax(0) == 0


def recipe(optimizer, *techniques, seed: int = 0, norm: str = "none") -> Recipe:
    return Recipe(
        model=MLP(hidden=(WIDTH,), norm=norm),
        data=digits(IMAGES),
        loss=CrossEntropy(),
        optimizer=optimizer,
        techniques=techniques,
        steps=STEPS,
        batch_size=BATCH,
        validate=Validate(every=STEPS),
        seed=seed,
    )


# %% idle
OPTIMIZERS = {
    "sgd_l2": (SGD(lr=0.1, momentum=0.0), L2(weight=0.01)),
    "adamw": (AdamW(lr=0.001, weight_decay=1.0),),
    "adam_l2_weak": (Adam(lr=0.001), L2(weight=0.0001)),
    "adam_l2_strong": (Adam(lr=0.001), L2(weight=0.1)),
}
PRODUCT = 0.001  # of rate and strength in the first two


def sizes(of: Recipe) -> tuple[list[float], list[float]]:
    """Every EVERY steps, the mean size of the weights of black pixels and of all others, over what it was at the start."""
    idle = black(IMAGES)
    found: list[tuple[float, float]] = []
    with Run(of) as run:
        weight = next(run.model.parameters())

        def look() -> None:
            size = weight.detach().abs()
            found.append((float(size[:, idle].mean()), float(size[:, ~idle].mean())))

        look()
        for report in run:
            if report.step % EVERY == 0:
                look()
    return tuple([size / column[0] for size in column] for column in zip(*found))


# %% prune
def penalty(kind: str, strength: float):
    return {"l2": L2(weight=strength), "l1": L1(weight=strength), "elastic": Elastic(l1=strength, l2=10 * strength)}[kind]


def pruned(of: Recipe) -> tuple[float, list[float]]:
    """The validation loss, and the accuracy after setting each share of the first layer's weights, the smallest, to zero."""
    with Run(of) as run:
        *_, report = run
        weight, accuracies = next(run.model.parameters()), []
        rows = run.data.val
        x, y = rows.fetch(torch.arange(len(rows)), 0)
        order = weight.abs().flatten().argsort()
        with evaluating(run.model), torch.no_grad():
            for share in SHARES:
                weight.view(-1)[order[: int(share * len(order))]] = 0.0
                accuracies.append(float((run.model(x).argmax(1) == y).double().mean()))
        return float(report.metrics["val_loss"]), accuracies


def chosen() -> dict[str, float]:
    """The strength of each penalty with the lowest validation loss on the tuning seeds."""
    plain = SGD(lr=0.05)
    total = lambda kind, strength: sum(pruned(recipe(plain, penalty(kind, strength), seed=seed))[0] for seed in TUNING)
    return {kind: min(strengths, key=lambda strength: total(kind, strength)) for kind, strengths in STRENGTHS.items()}


# %% product
def grid(seeds) -> Ensemble:
    """Every rate with every decay and seed on few images, a few decays at a time as one program."""
    few = replace(recipe(AdamW(lr=0.001)), data=digits(FEW), steps=FEW_STEPS, validate=Validate(every=FEW_STEPS))
    parts = [DECAYS[place : place + 2] for place in range(0, len(DECAYS), 2)]
    found = [ensemble(sweep(few, seeds=seeds, **{"optimizer.lr": RATES, "optimizer.weight_decay": part})) for part in parts]
    return Ensemble(tuple(member for part in found for member in part.members))


def ends(found: Ensemble, rate: float, decay: float) -> dict[int, float]:
    return found.where(**{"optimizer.lr": rate, "optimizer.weight_decay": decay}).last("val_loss")


# %% measure
def measure(seeds):
    """Everything that the page shows."""
    values, tables = {}, {}
    wanted = least_squares()
    fits = {name: [fitted(given, seed) for seed in seeds] for name, (given, _) in PENALTIES.items()}
    tables["fits"] = fits
    at = WEIGHTS * 3 // 4  # where least squares alone would give 1
    small = wanted.abs() < 0.5 - 1e-6  # below the threshold of an L1 of 1
    share = lambda weights: float((torch.as_tensor(weights)[small] == 0).double().mean())
    for name, (_, strengths) in PENALTIES.items():
        gap = [float((torch.tensor(row) - formula(wanted, *strengths)).abs().max()) for row in fits[name]]
        values[f"{name}.formula_gap"] = measured(dict(zip(seeds, gap)))
    zeros = {seed: proximal(1.0, seed) for seed in seeds}
    values |= {
        "trained_l1.small_weight": measured({seed: row[at] for seed, row in zip(seeds, fits["l1"])}),
        "formula_l1.small_weight": measured(dict.fromkeys(seeds, float(formula(wanted, 1.0, 0.0)[at]))),
        "descent.exact_zeros": measured({seed: share(row) for seed, row in zip(seeds, fits["l1"])}),
        "proximal.exact_zeros": measured({seed: share(row) for seed, row in zeros.items()}),
        "proximal.formula_gap": measured(max(float((row - formula(wanted, 1.0, 0.0)).abs().max()) for row in zeros.values())),
    }

    kept = {name: [sizes(recipe(*parts, seed=seed)) for seed in seeds] for name, parts in OPTIMIZERS.items()}
    for name, rows in kept.items():
        values[f"{name}.idle_left"] = measured({seed: row[0][-1] for seed, row in zip(seeds, rows)})
        values[f"{name}.busy_left"] = measured({seed: row[1][-1] for seed, row in zip(seeds, rows)})
    values["decay_formula.idle_left"] = measured(dict.fromkeys(seeds, (1 - PRODUCT) ** STEPS))
    values["black.pixels"] = measured(float(black(IMAGES).sum()))
    tables["idle"] = {name: [row[0] for row in rows] for name, rows in kept.items()}

    strengths = chosen()
    arms = {kind: (penalty(kind, strength),) for kind, strength in strengths.items()}
    arms |= {"none": (), "l1_strong": (penalty("l1", STRENGTHS["l1"][-1]),)}
    tables["pruned"] = {}
    for arm, techniques in arms.items():
        found = [pruned(recipe(SGD(lr=0.05), *techniques, seed=seed)) for seed in seeds]
        tables["pruned"][arm] = [row for _, row in found]
        values[f"{arm}.pruned_accuracy"] = measured({seed: row[SHARES.index(PRUNED)] for seed, (_, row) in zip(seeds, found)})
        values[f"{arm}.last_accuracy"] = measured({seed: row[-1] for seed, (_, row) in zip(seeds, found)})
        values[f"{arm}.whole_accuracy"] = measured({seed: row[0] for seed, (_, row) in zip(seeds, found)})
        values[f"{arm}.loss"] = measured({seed: loss for seed, (loss, _) in zip(seeds, found)})
    values |= {f"{kind}.strength": measured(strength) for kind, strength in strengths.items()}

    tuning, found = grid(TUNING), grid(seeds)
    total = {(rate, decay): sum(ends(tuning, rate, decay).values()) for rate in RATES for decay in DECAYS}
    best, alone = min(total, key=total.__getitem__), min((key for key in total if key[1] == 0), key=total.__getitem__)
    for name, (rate, decay) in (("best_decay", best), ("no_decay", alone)):
        values |= {f"{name}.val_loss": measured(ends(found, rate, decay)), f"{name}.rate": measured(rate), f"{name}.decay": measured(decay)}
    for name, rate in (("slow", SLOW), ("fast", FAST)):
        lowest = {seed: min(DECAYS[1:], key=lambda decay: ends(found, rate, decay)[seed]) for seed in seeds}
        values[f"{name}.log_decay"] = measured({seed: math.log10(decay) for seed, decay in lowest.items()})
        values[f"{name}.log_product"] = measured({seed: math.log10(rate * decay) for seed, decay in lowest.items()})
    tables["grid"] = {f"{rate:g}": [[ends(found, rate, decay)[seed] for decay in DECAYS[1:]] for seed in seeds] for rate in RATES}

    for name, all_of_them in (("norms_decay", True), ("norms_spared", False)):
        adamw = AdamW(lr=0.003, weight_decay=1.0, decay_norms=all_of_them)
        values[f"{name}.val_loss"] = measured({seed: pruned(recipe(adamw, seed=seed, norm="layer"))[0] for seed in seeds})
    return values, tables


# %% pictures
NAMES = {
    "none": Sentence("none", "不用"),
    "l2": Sentence("L2", "L2"),
    "l1": Sentence("L1", "L1"),
    "elastic": Sentence("elastic net", "弹性网"),
    "l1_strong": Sentence("L1, strong", "L1，强"),
    "sgd_l2": Sentence("SGD, L2 of 0.01", "SGD，L2 为 0.01"),
    "adamw": Sentence("AdamW, decay of 1", "AdamW，衰减 1"),
    "adam_l2_weak": Sentence("Adam, L2 of 0.0001", "Adam，L2 为 0.0001"),
    "adam_l2_strong": Sentence("Adam, L2 of 0.1", "Adam，L2 为 0.1"),
}


def pictures(results, folder) -> None:
    """The figures, in both languages, out of what was measured."""
    found, wanted = results.tables, least_squares()
    axes = Axes(
        Sentence("What a penalty makes of a weight", "惩罚把权重变成什么"),
        Sentence("weight without a penalty", "不加惩罚时的权重"),
        Sentence("weight with it", "加惩罚后的权重"),
    )
    fits = [Curve(NAMES[name], wanted.tolist(), found["fits"][name]) for name in PENALTIES]
    formulas = [
        Theory(Sentence(f"{NAMES[name].en}, formula", f"{NAMES[name].zh}，公式"), wanted.tolist(), formula(wanted, *strengths).tolist())
        for name, (_, strengths) in PENALTIES.items()
    ]
    draw(folder / "shrunk", axes, [*fits, *formulas])

    steps = list(range(0, STEPS + 1, EVERY))
    axes = Axes(Sentence("Weights that no data use", "数据用不到的权重"), Sentence("step", "步数"), Sentence("share left", "剩下的比例"))
    idle = [Curve(NAMES[name], steps, found["idle"][name]) for name in OPTIMIZERS]
    law = Theory(Sentence("(1 - rate × decay) ^ steps", "(1 − 学习率 × 衰减) ^ 步数"), steps, [(1 - PRODUCT) ** step for step in steps])
    draw(folder / "idle", axes, [*idle, law])

    axes = Axes(
        Sentence("Setting the smallest weights to zero", "把最小的权重置零"),
        Sentence("share of the first layer that is set to zero", "第一层被置零的比例"),
        Sentence("validation accuracy", "验证准确率"),
    )
    draw(folder / "pruned", axes, [Curve(NAMES[arm], SHARES, found["pruned"][arm]) for arm in ("none", "l2", "elastic", "l1", "l1_strong")])

    loss = Sentence("validation loss", "验证损失")
    for stem, title, x, factor in (
        (
            "decay",
            Sentence("Against the decay", "按衰减看"),
            Sentence("decay", "衰减"),
            0,
        ),
        ("product", Sentence("Against rate × decay", "按“学习率 × 衰减”看"), Sentence("rate × decay", "学习率 × 衰减"), 1),
    ):
        curves = [
            Curve(
                Sentence(f"rate {rate:g}", f"学习率 {rate:g}"),
                [decay * (rate if factor else 1) for decay in DECAYS[1:]],
                found["grid"][f"{rate:g}"],
            )
            for rate in RATES
        ]
        draw(folder / stem, Axes(title, x, loss, log_x=True), curves)


# %% look
if __name__ == "__main__":
    for key, value in measure(range(2))[0].items():
        print(f"{key:28} {value.mean:.4g}")
