"""Over- and underfitting: networks of several sizes on data of several sizes, the gap between old and new rows, and a law for it."""

# %% setup
import math

import numpy as np
import torch
from torch.nn.functional import avg_pool2d

from danlu.core import Recipe, Run
from danlu.data.mnist import FashionMNIST
from danlu.errors import Sentence
from danlu.losses.classification import CrossEntropy
from danlu.nets.mlp import MLP
from danlu.optim.first_order import AdamW
from danlu.optim.schedules import Cosine
from danlu.study.figure import Axes, Curve, Theory, draw
from danlu.study.results import measured

SIZES, WIDTHS = (100, 400, 1600, 6400), (4, 32, 256)
STEPS, BATCH, RATE = 600, 64, 0.003
LONGER = 4  # times the steps, once, at the largest size
NEW = 4000  # images that no network trains on


# %% data
def images():
    """Training and new images as rows of 196 numbers, every two by two pixels averaged, and their classes."""
    data = FashionMNIST()()
    small = lambda rows: avg_pool2d((rows.images.float() - 73) / 90, 2).flatten(1)
    return small(data.train), data.train.targets, small(data.val)[:NEW], data.val.targets[:NEW]


# %% train
def trained(width: int, x, y, seed: int, steps: int = STEPS) -> torch.nn.Module:
    """A network with one hidden layer, after so many steps on these rows."""
    rows = {"data": (x, y), "steps": steps, "batch_size": min(BATCH, len(x)), "seed": seed}
    with Run(Recipe(model=MLP(hidden=(width,)), loss=CrossEntropy(), optimizer=AdamW(lr=RATE), schedule=Cosine(), **rows)) as run:
        for _ in run:
            pass
        return run.model


@torch.no_grad()
def accuracy(model, x, y) -> float:
    return float((model(x).argmax(1) == y).double().mean())


# %% law
def fitted(sizes, errors) -> tuple[float, float]:
    """a, b of error = a * size ** -b: the straight line through log error over log size with the least squares, by hand."""
    x, y = [math.log(size) for size in sizes], [math.log(error) for error in errors]
    middle_x, middle_y = sum(x) / len(x), sum(y) / len(y)
    slope = sum((a - middle_x) * (b - middle_y) for a, b in zip(x, y)) / sum((a - middle_x) ** 2 for a in x)
    return math.exp(middle_y - slope * middle_x), -slope


def library_fit(sizes, errors) -> tuple[float, float]:
    """The same by numpy."""
    slope, height = np.polyfit(np.log(sizes), np.log(errors), 1)
    return math.exp(height), -float(slope)


# %% measure
def arm(width: int, size: int) -> str:
    """How results call a network and its data: w32_n400."""
    return f"w{width}_n{size}"


def measure(seeds):
    """Every width on every size, each seed with images of its own."""
    x, y, new_x, new_y = images()
    found: dict[str, dict[int, float]] = {}
    for seed in seeds:
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
        for size in SIZES:
            rows = order[:size]
            for width in WIDTHS:
                model = trained(width, x[rows], y[rows], seed)
                old, new = accuracy(model, x[rows], y[rows]), accuracy(model, new_x, new_y)
                for name, value in {"train_accuracy": old, "val_accuracy": new, "gap": old - new, "error": 1 - new}.items():
                    found.setdefault(f"{arm(width, size)}.{name}", {})[seed] = value
        rows = order[: SIZES[-1]]
        longer = trained(WIDTHS[-1], x[rows], y[rows], seed, LONGER * STEPS)
        found.setdefault("longer.error", {})[seed] = 1 - accuracy(longer, new_x, new_y)
    errors = {seed: [found[f"{arm(WIDTHS[-1], size)}.error"][seed] for size in SIZES] for seed in seeds}
    laws = {seed: fitted(SIZES[:-1], errors[seed][:-1]) for seed in seeds}
    found["law.error"] = {seed: a * SIZES[-1] ** -b for seed, (a, b) in laws.items()}
    found["law.power"] = {seed: b for seed, (_, b) in laws.items()}
    found["law.ten_times"] = {seed: a * (10 * SIZES[-1]) ** -b for seed, (a, b) in laws.items()}
    values = {key: measured(by_seed) for key, by_seed in found.items()}
    gaps = [abs(a - b) for seed in seeds for a, b in zip(laws[seed], library_fit(SIZES[:-1], errors[seed][:-1]))]
    values["fit.library_gap"] = measured(max(gaps))
    return values, {}


# %% pictures
IMAGES = Sentence("training images", "训练图像数")


def pictures(results, folder) -> None:
    """The figures, in both languages."""
    by_seed = lambda key: results.value(key).values
    over = lambda width, name: list(zip(*(by_seed(f"{arm(width, size)}.{name}") for size in SIZES)))
    units = lambda width: Sentence(f"{width} units", f"{width} 个单元")
    accuracies = Axes(
        Sentence("More data or a bigger model?", "更多数据，还是更大的模型？"),
        IMAGES,
        Sentence("accuracy on new images", "新图像准确率"),
        log_x=True,
    )
    draw(folder / "grid", accuracies, [Curve(units(width), SIZES, over(width, "val_accuracy")) for width in WIDTHS])
    gap = Axes(
        Sentence("What is known by heart only", "只是背下来的部分"),
        IMAGES,
        Sentence("training less new accuracy", "训练准确率 − 新图像准确率"),
        log_x=True,
    )
    draw(folder / "gap", gap, [Curve(units(width), SIZES, over(width, "gap")) for width in WIDTHS])
    last = over(WIDTHS[-1], "error")
    a, b = fitted(SIZES[:-1], [sum(column) / len(column) for column in list(zip(*last))[:-1]])
    ends = [SIZES[0], SIZES[-1]]
    error = Axes(
        Sentence("A law, and what it did not see", "一条定律，和它没见过的点"),
        IMAGES,
        Sentence("error on new images", "新图像误差"),
        log_x=True,
        log_y=True,
    )
    draw(
        folder / "law",
        error,
        [
            Curve(Sentence("measured, 256 units", "实测，256 个单元"), SIZES, last),
            Curve(
                Sentence("the last with four times the steps", "最后一点，步数为四倍"),
                SIZES[-2:],
                list(zip([row[-2] for row in last], by_seed("longer.error"))),
            ),
            Theory(Sentence("fitted to the first three sizes", "用前三个规模拟合"), ends, [a * size**-b for size in ends]),
        ],
    )


# %% look
if __name__ == "__main__":
    for key, value in measure(range(2))[0].items():
        print(f"{key:28} {value.mean:.4g}")
