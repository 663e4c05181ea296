"""Matrix optimisers: what does Muon change? Updates by their singular values, and five optimisers, each at its own best rate."""

# %% setup
import math
import statistics
import time
from dataclasses import replace

import torch
from torch.nn.functional import avg_pool2d

from danlu.core import Recipe, Run
from danlu.data.mnist import FashionMNIST
from danlu.errors import Sentence
from danlu.losses.classification import CrossEntropy
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD, AdamW
from danlu.optim.muon import Muon
from danlu.optim.schedules import Linear
from danlu.optim.shampoo import Shampoo
from danlu.optim.soap import SOAP
from danlu.study.figure import Axes, Curve, Theory, bars, draw
from danlu.study.results import measured
from danlu.techniques.reports.validate import Validate

IMAGES, NEW, WIDTH, STEPS, BATCH, EVERY = 8000, 2000, 64, 160, 128, 10
TUNING = (1001, 1002)  # seeds that choose the rate
LAYER = "layers.4.weight"  # the matrix between the two hidden layers
LOOKED_AT = (70, 75, 80, 85, 90)  # steps whose update is taken apart
BASE = (0.001, 0.003, 0.01, 0.03, 0.1)
ARMS = {
    "sgd": (SGD(momentum=0.9), (0.003, 0.01, 0.03, 0.1, 0.3)),
    "adamw": (AdamW(weight_decay=0.0), BASE),
    "muon": (Muon(weight_decay=0.0), BASE),
    "shampoo": (Shampoo(weight_decay=0.0), BASE),
    "soap": (SOAP(weight_decay=0.0), BASE),
}


# %% scratch
COEFFICIENTS = (3.4445, -4.775, 2.0315)


def nearly_orthogonal(matrix: torch.Tensor, iterations: int = 5) -> torch.Tensor:
    """About U V^T, for a matrix U S V^T: every singular value is pulled towards one, and no direction is turned."""
    a, b, c = COEFFICIENTS
    x = matrix / matrix.norm()
    for _ in range(iterations):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x


def pulled(value: float, iterations: int = 5) -> float:
    """What the iteration makes of a singular value: it never looks at any but this one."""
    a, b, c = COEFFICIENTS
    for _ in range(iterations):
        value = a * value + b * value**3 + c * value**5
    return value


# %% alone
SINGULAR = [10 ** (-3 + 0.05 * place) for place in range(61)]  # of a gradient, but for a common factor
PLAIN_MUON = Muon(lr=1.0, momentum=0.0, nesterov=False, scale="original", weight_decay=0.0)
PLAIN_SHAMPOO = Shampoo(lr=1.0, momentum=0.0, beta2=1.0, graft="none", weight_decay=0.0)


def by_chance(size: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Two orthogonal matrices: directions for rows and for columns."""
    draws = torch.Generator().manual_seed(seed)
    u, v = (torch.linalg.qr(torch.randn(size, size, generator=draws))[0] for _ in range(2))
    return u, v


def with_values(values, seed: int) -> torch.Tensor:
    """A square matrix that has these singular values, in directions by chance."""
    u, v = by_chance(len(values), seed)
    return u @ torch.diag(torch.tensor(values)) @ v.T


def first_update(make, gradient: torch.Tensor) -> torch.Tensor:
    """The first update that one of danlu's optimisers makes of a gradient, at a rate of one."""
    w = torch.zeros_like(gradient).requires_grad_()
    w.grad = gradient.clone()
    make([("w", w)]).step()
    return -w.detach()


def along(update: torch.Tensor, seed: int) -> list[float]:
    """How long an update is along each of the directions by chance."""
    u, v = by_chance(len(update), seed)
    return (u.T @ update @ v).diagonal().tolist()


def exact(gradient: torch.Tensor) -> torch.Tensor:
    """U V^T by a singular decomposition."""
    u, _, vt = torch.linalg.svd(gradient)
    return u @ vt


# %% spectrum
def spectrum(updates) -> list[float]:
    """Singular values, largest first and as shares of it, mean over the updates."""
    each = [torch.linalg.svdvals(update.double()) for update in updates]
    return torch.stack([values / values[0] for values in each]).mean(0).tolist()


def directions(update: torch.Tensor) -> float:
    """The share of its directions that an update uses: 1 if all singular values are equal, 1 / n if all but one are zero."""
    values = torch.linalg.svdvals(update.double())
    share = (values / values.sum()).clamp(min=1e-300)
    return float((-(share * share.log()).sum()).exp()) / len(values)


# %% train
def images():
    """The first images of the training and of the validation rows, every two by two pixels averaged, with their classes."""
    data = FashionMNIST()()
    small = lambda rows, many: (avg_pool2d((rows.images[:many].float() - 73) / 90, 2).flatten(1), rows.targets[:many])
    return small(data.train, IMAGES), small(data.val, NEW)


def trained(arm: str, rate: float, data, seed: int, every: int = EVERY):
    """Validation losses, updates of LAYER at LOOKED_AT, and the CPU seconds of a step."""
    recipe = Recipe(
        model=MLP(hidden=(WIDTH, WIDTH)),
        data=data,
        loss=CrossEntropy(),
        optimizer=replace(ARMS[arm][0], lr=rate),
        schedule=Linear(),
        steps=STEPS,
        batch_size=BATCH,
        validate=Validate(every=every),
        seed=seed,
    )
    losses, updates, plain, validated = [], [], [], 0
    with Run(recipe) as run:
        matrix = dict(run.model.named_parameters())[LAYER]
        before, start = matrix.detach().clone(), time.process_time()
        for report in run:
            spent = time.process_time() - start
            if "val_loss" in report.metrics:
                losses.append(report.metrics["val_loss"])
                validated += 1  # what a step takes that validates is not seen: it counts as an ordinary one
            else:
                plain.append(spent)
            if report.step in LOOKED_AT:
                updates.append(matrix.detach() - before)
            if report.step + 1 in LOOKED_AT:
                before = matrix.detach().clone()
            start = time.process_time()
    return losses, updates, (sum(plain) + validated * statistics.median(plain)) / STEPS


def tuned(arm: str, data) -> tuple[float, list[list[float | None]]]:
    """The rate at which the tuning seeds end lowest, and [seeds][rates] where they end; None for what is no number."""
    rates = ARMS[arm][1]
    ends = [[trained(arm, rate, data, seed, every=STEPS)[0][-1] for rate in rates] for seed in TUNING]
    mean = lambda place: sum(math.inf if row[place] is None else row[place] for row in ends)
    return rates[min(range(len(rates)), key=mean)], ends


def first_below(losses, target: float) -> int:
    """The first validated step at which the loss is no higher than the target; one more than there are, if there is none."""
    return next((EVERY * place for place, loss in enumerate(losses, 1) if loss <= target), STEPS + EVERY)


# %% measure
def measure(seeds):
    """Everything that the page shows. Times are tables only: another machine has others."""
    values, tables = {}, {"rates": {}, "losses": {}, "spectra": {}, "time": {}, "to_target": {}}
    level = [place / 32 for place in range(4, 33)]
    gradients = {seed: with_values(level, seed) for seed in seeds}
    distance = lambda one, other: float((one - other).norm() / other.norm())
    values["muon.library_gap"] = measured({s: distance(nearly_orthogonal(g), first_update(PLAIN_MUON, g)) for s, g in gradients.items()})
    values["muon.exact_gap"] = measured({s: distance(first_update(PLAIN_MUON, g), exact(g)) for s, g in gradients.items()})
    values["shampoo.exact_gap"] = measured({s: distance(first_update(PLAIN_SHAMPOO, g), exact(g)) for s, g in gradients.items()})
    values["muon.overhead"] = measured(5 * WIDTH / BATCH)  # products of the iteration, as a multiple of those of the model
    tables["pulled"] = [along(first_update(PLAIN_MUON, with_values(SINGULAR, seed)), seed) for seed in seeds]

    data = images()
    rates = {}
    for arm in ARMS:
        rates[arm], tables["rates"][arm] = tuned(arm, data)
        values[f"{arm}.rate"] = measured(rates[arm])
    found = {seed: {arm: trained(arm, rates[arm], data, seed) for arm in ARMS} for seed in seeds}  # arms side by side, for their times
    for arm in ARMS:
        own = {seed: runs[arm] for seed, runs in found.items()}
        steps = {seed: first_below(own[seed][0], found[seed]["adamw"][0][-1]) for seed in seeds}
        values[f"{arm}.val_loss"] = measured({seed: losses[-1] for seed, (losses, _, _) in own.items()})
        values[f"{arm}.steps"] = measured(steps)
        values[f"{arm}.directions"] = measured({s: sum(map(directions, u)) / len(u) for s, (_, u, _) in own.items()})
        tables["losses"][arm] = [losses for losses, _, _ in own.values()]
        tables["spectra"][arm] = [spectrum(updates) for _, updates, _ in own.values()]
        tables["time"][arm] = [own[seed][2] / found[seed]["adamw"][2] for seed in seeds]
        tables["to_target"][arm] = [
            steps[seed] * own[seed][2] / (STEPS * found[seed]["adamw"][2]) if steps[seed] <= STEPS else None for seed in seeds
        ]
    return values, tables


# %% pictures
NAMES = {
    "sgd": Sentence("SGD", "SGD"),
    "adamw": Sentence("AdamW", "AdamW"),
    "muon": Sentence("Muon", "Muon"),
    "shampoo": Sentence("Shampoo", "Shampoo"),
    "soap": Sentence("SOAP", "SOAP"),
}


def pictures(results, folder) -> None:
    """The figures, in both languages."""
    found, loss = results.tables, Sentence("validation loss", "验证损失")
    size = math.hypot(*SINGULAR)
    before = [value / size for value in SINGULAR]
    fine = [10 ** (-3.4 + 0.02 * place) for place in range(171)]
    draw(
        folder / "pulled",
        Axes(
            Sentence("What five iterations make of a singular value", "五次迭代之后的奇异值"),
            Sentence("singular value before", "迭代前的奇异值"),
            Sentence("after", "迭代后"),
            log_x=True,
        ),
        [
            Curve(Sentence("danlu's Muon", "danlu 的 Muon"), before, found["pulled"]),
            Theory(Sentence("the polynomial", "多项式"), fine, [pulled(value) for value in fine]),
            Theory(Sentence("left as it is", "原样不变"), fine, fine),
        ],
    )
    draw(
        folder / "spectra",
        Axes(
            Sentence("Singular values of an update in mid-training", "训练中段一次更新的奇异值"),
            Sentence("number of the direction", "方向的序号"),
            Sentence("length, as a share of the longest", "长度（以最长者为一）"),
            log_y=True,
        ),
        [Curve(NAMES[arm], range(1, WIDTH + 1), found["spectra"][arm]) for arm in ARMS],
    )
    draw(
        folder / "rates",
        Axes(
            Sentence("Five rates for each, on the seeds that choose", "各试五种学习率，用专门挑学习率的种子"),
            Sentence("peak rate", "峰值学习率"),
            loss,
            log_x=True,
        ),
        [Curve(NAMES[arm], ARMS[arm][1], [[shown(v) for v in row] for row in found["rates"][arm]]) for arm in ARMS],
    )
    late = 3  # validations that are left out, where all fall steeply
    steps = range(EVERY * (late + 1), STEPS + 1, EVERY)
    draw(
        folder / "losses",
        Axes(Sentence("Each at its own best rate", "各用自己的最佳学习率"), Sentence("step", "步数"), loss),
        [Curve(NAMES[arm], steps, [row[late:] for row in found["losses"][arm]]) for arm in ARMS],
    )
    for name, title in (
        ("time", Sentence("CPU time of a step, AdamW = 1", "一步的 CPU 时间（AdamW 为 1）")),
        (
            "to_target",
            Sentence("CPU time to AdamW's final loss, AdamW's whole run = 1", "达到 AdamW 最终损失的 CPU 时间（AdamW 全程为 1）"),
        ),
    ):
        groups = [(NAMES[arm], found[name][arm]) for arm in ARMS if None not in found[name][arm]]
        bars(folder / name, Axes(title, Sentence("optimiser", "优化器"), Sentence("ratio", "比值")), groups)


def shown(loss: float | None) -> float | None:
    """What a picture shows: nothing for what has not learned much."""
    return loss if loss is not None and loss < 1 else None


# %% look
if __name__ == "__main__":
    results_, _ = measure(range(2))
    for key, value in results_.items():
        print(f"{key:28} {value.mean if value.mean is not None else value.values[0]}")
