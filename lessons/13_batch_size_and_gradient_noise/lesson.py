"""Batch size and gradient noise: how many steps does a bigger batch save, and can its limit be measured beforehand?"""

# %% setup
import math
from itertools import pairwise

import torch

from danlu.core import Recipe
from danlu.data.mnist import MNIST
from danlu.errors import Sentence
from danlu.finders.noise_scale import courses, point
from danlu.losses.classification import CrossEntropy
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD
from danlu.study.ensemble import Ensemble, ensemble, sweep
from danlu.study.figure import Axes, Curve, Theory, draw
from danlu.study.results import measured
from danlu.techniques.reports.validate import Validate

TARGET, WIDTH = 0.35, 32  # the validation loss at which a training has arrived
BATCHES = {8: (900, 15), 32: (300, 6), 128: (120, 5), 512: (80, 4), 2048: (60, 3)}  # rows a step: (most steps, steps between two looks)
RATES = (0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6)
AT_ONCE = 1024  # rows of a step of all rates that are trained as one program, at least two rates: more would take more memory
TUNING = (1001, 1002, 1003)  # seeds that choose the rate of each batch size
PATIENT = 200  # most steps of the batch that keeps another one's rate
BIG, SMALL, MIDDLE = 512, 8, 128
POINTS, ROWS, SAMPLE = 11, 4096, 400  # where the noise is measured, over how many rows; rows of the part from scratch


# %% scratch
def row_gradients() -> torch.Tensor:
    """One gradient a row, [rows, numbers], of a softmax regression on digits whose weights are zero: (guess - label) times pixels."""
    inputs, labels = MNIST(subset=True)().train.fetch(torch.arange(SAMPLE), 0)
    guess = torch.full((SAMPLE, 10), 0.1, dtype=torch.float64)
    wrong = guess - torch.nn.functional.one_hot(labels, 10)
    return (wrong[:, :, None] * inputs.flatten(1).double()[:, None]).flatten(1)


def by_definition(grads: torch.Tensor) -> float:
    """The variance of a row's gradient, summed over all numbers, beside the squared length of the mean gradient."""
    return float(grads.var(0).sum() / grads.mean(0).square().sum())


def lengths(grads: torch.Tensor, few: int) -> tuple[float, float]:
    """Mean squared length of the mean gradient of parts of `few` rows, and that of all rows: all that a large network lets us see."""
    parts = grads.unflatten(0, (-1, few)).mean(1)
    return float(parts.square().sum(1).mean()), float(grads.mean(0).square().sum())


def from_two_sizes(grads: torch.Tensor, few: int) -> float:
    """The same scale from two lengths: what the small batches' gradients are longer by is their noise."""
    small, large = lengths(grads, few)
    noise = (small - large) / (1 / few - 1 / len(grads))
    return noise / large


# %% recipe
def recipe(batch: int, steps: int, every: int) -> Recipe:
    """One hidden layer, plain SGD, no schedule: the batch, the rate and nothing else."""
    return Recipe(
        model=MLP(hidden=(WIDTH,)),
        data=MNIST(subset=True),
        loss=CrossEntropy(),
        optimizer=SGD(lr=0.1, momentum=0.0),
        steps=steps,
        batch_size=batch,
        validate=Validate(every=every),
    )


def trained(batch: int, seeds, rates, steps: int | None = None) -> Ensemble:
    """One batch size at these rates with every seed, as one program."""
    most, every = BATCHES[batch]
    return ensemble(sweep(recipe(batch, steps or most, every), seeds=seeds, **{"optimizer.lr": rates}))


def arrival(losses: dict[int, float]) -> float:
    """The step at which the validation loss passes the target, on a straight line of logarithms between two looks; else infinity."""
    for (before, high), (after, low) in pairwise([(0, math.log(10)), *losses.items()]):
        if low is not None and low <= TARGET:
            return before + (after - before) * math.log(high / TARGET) / math.log(high / low)
    return math.inf


def steps_needed(found: Ensemble) -> dict[int, float]:
    """seed -> steps to the target."""
    return {member.recipe.seed: arrival(member.metrics["val_loss"]) for member in found.members}


def power(value: float) -> float | None:
    """Which power of two it is; None for what is not finite."""
    return math.log2(value) if math.isfinite(value) else None


def tried(batch: int) -> dict[float, dict[int, float]]:
    """rate -> tuning seed -> steps to the target."""
    at_once = max(2, AT_ONCE // batch)
    parts = [trained(batch, TUNING, RATES[place : place + at_once]) for place in range(0, len(RATES), at_once)]
    found = Ensemble(tuple(member for part in parts for member in part.members))
    return {rate: steps_needed(found.where(**{"optimizer.lr": rate})) for rate in RATES}


# %% knee
def knee(steps: dict[int, float]) -> tuple[float, float]:
    """(least steps, knee) of steps = least * (1 + knee / batch): a straight line in 1 / batch, by least squares of relative errors."""
    rows = torch.tensor([[1 / s, 1 / (b * s)] for b, s in steps.items()], dtype=torch.float64)
    least, slope = torch.linalg.lstsq(rows, torch.ones(len(rows), 1, dtype=torch.float64)).solution.flatten().tolist()
    return least, slope / least


def least_given(scale: float, steps: dict[int, float]) -> float:
    """The least steps that fit best when the knee is known beforehand."""
    shares = [(1 + scale / b) / s for b, s in steps.items()]
    return sum(shares) / sum(share**2 for share in shares)


# %% measure
def measure(seeds):
    """Everything that the page shows."""
    values, tables, needed = {}, {"seeds": list(seeds), "grid": {}}, {}
    grads = row_gradients()
    exact, (small, large) = by_definition(grads), lengths(grads, 8)
    library = point(0, small, large, 8, SAMPLE, rows=SAMPLE).scale
    values["scratch.scale"] = measured(exact)
    values["scratch.library_gap"] = measured(abs(library - from_two_sizes(grads, 8)))
    values["scratch.definition_gap"] = measured(abs(from_two_sizes(grads, 1) - exact))
    values["scratch.estimate"] = measured(from_two_sizes(grads, 8))

    rates = {}
    for batch in BATCHES:
        grid = tried(batch)
        rates[batch] = min(RATES, key=lambda rate: sum(grid[rate].values()))
        tables["grid"][str(batch)] = [[power(grid[rate][seed]) for rate in RATES] for seed in TUNING]
        needed[batch] = steps_needed(trained(batch, seeds, [rates[batch]]))
        values[f"b_{batch}.rate"] = measured(rates[batch])
        values[f"b_{batch}.steps"] = measured(needed[batch])
        values[f"b_{batch}.rows"] = measured({seed: batch * steps for seed, steps in needed[batch].items()})
        values[f"b_{batch}.log2_steps"] = measured({seed: math.log2(steps) for seed, steps in needed[batch].items()})
    kept = steps_needed(trained(BIG, seeds, [rates[SMALL]], steps=PATIENT))
    values[f"b_{BIG}_kept.steps"] = measured(kept)
    values[f"b_{BIG}_kept.log2_steps"] = measured({seed: math.log2(steps) for seed, steps in kept.items()})

    fits = {seed: knee({batch: needed[batch][seed] for batch in BATCHES}) for seed in seeds}
    values["knee.rows"] = measured({seed: found for seed, (_, found) in fits.items()})
    values["knee.log2_scale"] = measured({seed: math.log2(found) for seed, (_, found) in fits.items()})
    length = round(sum(needed[MIDDLE].values()) / len(needed[MIDDLE]))
    short = recipe(MIDDLE, length, length)
    short = sweep(short, seeds=[0], **{"optimizer.lr": [rates[MIDDLE]]})[0]
    found = {each.seed: each for each in courses(short, list(seeds), POINTS, length, ROWS)}
    values["finder.rows"] = measured({seed: each.scale for seed, each in found.items()})
    values["finder.log2_scale"] = measured({seed: math.log2(each.scale) for seed, each in found.items()})
    for name, place in (("start", 0), ("target", -1)):
        scales = {seed: each.points[place].scale for seed, each in found.items()}
        values[f"{name}.rows"] = measured(scales)
        values[f"{name}.log2_scale"] = measured({seed: math.log2(scale) for seed, scale in scales.items()})
    steps = [p.step for p in found[seeds[0]].points]
    tables["course"] = {"steps": steps, "scales": [[power(p.scale) for p in each.points] for each in found.values()]}
    scale = 2 ** values["finder.log2_scale"].mean
    mean = {batch: sum(needed[batch].values()) / len(needed[batch]) for batch in BATCHES}
    tables["theory"] = {"scale": scale, "least": least_given(scale, mean)}
    return values, tables


# %% pictures
ROWS_A_STEP = Sentence("rows a step", "每步的行数")


def pictures(results, folder) -> None:
    """The figures, in both languages."""
    seeds, sizes = range(len(results.tables["seeds"])), list(BATCHES)
    steps = [[results.value(f"b_{batch}.steps").values[seed] for batch in sizes] for seed in seeds]
    fine = [8 * 2 ** (place / 4) for place in range(33)]
    theory = results.tables["theory"]
    predicted = [theory["least"] * (1 + theory["scale"] / batch) for batch in fine]
    formula = Sentence("formula, with the noise scale", "公式（用噪声尺度）")
    draw(
        folder / "steps",
        Axes(Sentence("Steps to the target", "到达目标的步数"), ROWS_A_STEP, Sentence("steps", "步数"), log_x=True, log_y=True),
        [
            Curve(Sentence("measured, own rate each", "实测，各用自己的学习率"), sizes, steps),
            Theory(formula, fine, predicted),
            Theory(Sentence("all rows count alike", "每一行都同样有用"), fine[:21], [predicted[0] * 8 / batch for batch in fine[:21]]),
        ],
    )
    draw(
        folder / "rows",
        Axes(Sentence("Rows to the target", "到达目标所用的行数"), ROWS_A_STEP, Sentence("rows in all", "总行数"), log_x=True, log_y=True),
        [
            Curve(
                Sentence("measured, own rate each", "实测，各用自己的学习率"),
                sizes,
                [[b * s for b, s in zip(sizes, row)] for row in steps],
            ),
            Theory(formula, fine, [b * s for b, s in zip(fine, predicted)]),
        ],
    )
    draw(
        folder / "rates",
        Axes(
            Sentence("Each batch has its own rate", "每种批大小都有自己的学习率"),
            Sentence("learning rate", "学习率"),
            Sentence("steps to the target, as a power of two", "到达目标的步数（2 的多少次方）"),
        ),
        [Curve(Sentence(f"{batch} rows", f"{batch} 行"), RATES, results.tables["grid"][str(batch)]) for batch in sizes],
    )
    course = results.tables["course"]
    draw(
        folder / "course",
        Axes(
            Sentence("The noise scale grows", "噪声尺度在变大"),
            Sentence("step", "步数"),
            Sentence("noise scale in rows, as a power of two", "噪声尺度的行数（2 的多少次方）"),
        ),
        [Curve(Sentence("measured", "实测"), course["steps"], course["scales"])],
    )


# %% look
if __name__ == "__main__":
    results_, _ = measure(range(2))
    for key, value in results_.items():
        print(f"{key:28} {value.mean if value.mean is not None else value.values[0]:.4g}")
