"""Adam's family: what is decoupled weight decay? How fast weights shrink, and two heat maps of rate and decay."""

# %% setup
import math

import torch
from torch.nn.functional import avg_pool2d

from danlu.core import Recipe, Run
from danlu.data.mnist import FashionMNIST
from danlu.errors import Sentence
from danlu.losses.classification import CrossEntropy
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD, Adam, AdamW
from danlu.study.ensemble import Ensemble, ensemble, sweep
from danlu.study.figure import Axes, Curve, Theory, draw
from danlu.study.heat import Heat, heat
from danlu.study.results import measured

SCALES = (0.3, 1.0, 3.0, 10.0, 30.0)  # deviations of the noise that is a weight's gradient
PAIRS, SHRINK_STEPS, SHRINK_RATE, SHRINK_DECAY = 300, 300, 0.01, 0.03
IMAGES, NEW, WIDTH, STEPS, BATCH = 500, 2000, 32, 300, 32
RATES = (0.0003, 0.001, 0.003, 0.01, 0.03)
DECAYS = (0.0, 0.001, 0.01, 0.1, 1.0, 10.0)
TUNING = (1001, 1002)  # seeds that choose a cell
ARMS = {"adam": Adam(), "adamw": AdamW()}
GUESS = math.log(10)  # the loss of a blind guess among ten classes


# %% scratch
def step(w, gradient, state, rate: float, decay: float, decoupled: bool, beta1=0.9, beta2=0.999, eps=1e-8):
    """One step of Adam, with the decay in the gradient (L2) or beside it (decoupled: AdamW)."""
    if decoupled:
        w = w - rate * decay * w
    else:
        gradient = gradient + decay * w
    state["t"] += 1
    state["mean"] = beta1 * state["mean"] + (1 - beta1) * gradient
    state["square"] = beta2 * state["square"] + (1 - beta2) * gradient**2
    mean = state["mean"] / (1 - beta1 ** state["t"])
    square = state["square"] / (1 - beta2 ** state["t"])
    return w - rate * mean / (square.sqrt() + eps)


def library_gap(decoupled: bool, steps: int = 50) -> float:
    """The largest difference between `step` and danlu's Adam or AdamW on the way."""
    draws = torch.Generator().manual_seed(0)
    w = torch.randn(20, generator=draws, dtype=torch.float64)
    theirs = w.clone().requires_grad_()
    make = AdamW if decoupled else Adam
    optimizer = make(lr=SHRINK_RATE, weight_decay=SHRINK_DECAY)([("w", theirs)])
    state, gap = {"t": 0, "mean": 0.0, "square": 0.0}, 0.0
    for _ in range(steps):
        gradient = torch.randn(20, generator=draws, dtype=torch.float64)
        w = step(w, gradient, state, SHRINK_RATE, SHRINK_DECAY, decoupled)
        theirs.grad = gradient
        optimizer.step()
        gap = max(gap, float((w - theirs.detach()).abs().max()))
    return gap


# %% shrink
def shrinking(make, seed: int) -> list[float]:
    """For each scale of noise, how fast weights shrink that start at one, in units of rate * decay a step.

    Their gradients say nothing, they are plus or minus the scale; every weight has a twin with the opposite noise, so that chance cancels.
    """
    draws = torch.Generator().manual_seed(seed)
    scales = torch.tensor(SCALES, dtype=torch.float64)
    w = torch.ones(2 * PAIRS, len(SCALES), dtype=torch.float64, requires_grad=True)
    optimizer = make([("w", w)])
    for _ in range(SHRINK_STEPS):
        signs = torch.randint(0, 2, (PAIRS, 1), generator=draws).double() * 2 - 1
        w.grad = torch.cat([signs, -signs]) * scales
        optimizer.step()
    left = w.detach().mean(0)
    return (-left.log() / (SHRINK_STEPS * SHRINK_RATE * SHRINK_DECAY)).tolist()


SHRINKERS = {
    "sgd": SGD(lr=SHRINK_RATE, momentum=0.0, weight_decay=SHRINK_DECAY),
    "adam": Adam(lr=SHRINK_RATE, weight_decay=SHRINK_DECAY),
    "adamw": AdamW(lr=SHRINK_RATE, weight_decay=SHRINK_DECAY),
}


# %% grid
def images():
    """The first images of the training rows and of the validation rows, every two by two pixels averaged, with their classes."""
    data = FashionMNIST()()
    small = lambda rows, many: (avg_pool2d((rows.images[:many].float() - 73) / 90, 2).flatten(1), rows.targets[:many])
    return small(data.train, IMAGES), small(data.val, NEW)


def recipe(data, optimizer, seed: int = 0) -> Recipe:
    """One hidden layer, a constant rate."""
    model = MLP(hidden=(WIDTH,))
    return Recipe(model=model, data=data, loss=CrossEntropy(), optimizer=optimizer, steps=STEPS, batch_size=BATCH, seed=seed)


def trained(arm: str, data, seeds) -> Ensemble:
    """One optimiser in every cell of the grid with every seed, as one program."""
    return ensemble(sweep(recipe(data, ARMS[arm]), seeds=seeds, **{"optimizer.lr": RATES, "optimizer.weight_decay": DECAYS}))


def cells(found: Ensemble) -> dict[tuple[float, float], dict[int, float]]:
    """(rate, decay) -> seed -> validation loss at the end; what is no number counts as infinite."""
    losses: dict[tuple[float, float], dict[int, float]] = {}
    for member in found.members:
        end = next(reversed(member.metrics["val_loss"].values()))
        optimizer = member.recipe.optimizer
        losses.setdefault((optimizer.lr, optimizer.weight_decay), {})[member.recipe.seed] = math.inf if end is None else end
    return losses


def gradient_size(data, rate: float, decay: float, seed: int) -> float:
    """The root mean square of a weight's gradients over an AdamW training, by its second moment; the middle one of all weights."""
    with Run(recipe(data, AdamW(lr=rate, weight_decay=decay), seed)) as run:
        for _ in run:
            pass
        squares = [run.optimizer.state[p]["exp_avg_sq"] for p in run.model.parameters() if p.ndim == 2]
    return float((torch.cat([s.flatten() for s in squares]) / (1 - AdamW().beta2 ** STEPS)).sqrt().median())


# %% ridge
def ridge(losses: dict[tuple[float, float], float]) -> list[tuple[float, float]]:
    """(rate, best decay), by the parabola through the best cell and its neighbours, for each rate whose best cell lies inside the grid."""
    points = []
    for rate in RATES:
        row = [min(losses[rate, decay], GUESS) for decay in DECAYS]
        best = min(range(len(row)), key=lambda place: row[place])
        if 2 <= best < len(DECAYS) - 1:  # its neighbours are no zero and no end
            before, here, after = row[best - 1 : best + 2]
            shift = (before - after) / (2 * (before - 2 * here + after))
            points.append((rate, DECAYS[best] * (DECAYS[best + 1] / DECAYS[best]) ** shift))
    return points


def slope(points: list[tuple[float, float]]) -> float:
    """Of the straight line through log decay over log rate with the least squares; nan for a single point."""
    if len(points) < 2:
        return math.nan
    x, y = ([math.log(point[axis]) for point in points] for axis in (0, 1))
    middle_x, middle_y = sum(x) / len(x), sum(y) / len(y)
    return sum((a - middle_x) * (b - middle_y) for a, b in zip(x, y)) / sum((a - middle_x) ** 2 for a in x)


# %% measure
def measure(seeds):
    """Everything that the page shows."""
    values, tables = {}, {"shrink": {}, "grid": {}, "ridge": {}}
    for name, make in SHRINKERS.items():
        found = {seed: shrinking(make, seed) for seed in seeds}
        tables["shrink"][name] = list(found.values())
        one, ten = SCALES.index(1.0), SCALES.index(10.0)
        values[f"{name}.log_ratio"] = measured({seed: math.log10(rates[one] / rates[ten]) for seed, rates in found.items()})
        values[f"{name}.shrink_10"] = measured({seed: rates[ten] for seed, rates in found.items()})
    for name, decoupled in (("adam", False), ("adamw", True)):
        values[f"{name}.library_gap"] = measured(library_gap(decoupled))
    for name, value in (("zero", 0.0), ("one", 1.0)):
        values[f"{name}.log_ratio"] = measured(dict.fromkeys(seeds, value))

    data, grids = images(), {}
    for arm in ARMS:
        grid = grids[arm] = cells(trained(arm, data, [*seeds, *TUNING]))
        best = min(grid, key=lambda cell: sum(grid[cell][seed] for seed in TUNING))
        values[f"{arm}.val_loss"] = measured({seed: grid[best][seed] for seed in seeds})
        values[f"{arm}.rate"], values[f"{arm}.decay"] = measured(best[0]), measured(best[1])
        values[f"{arm}.slope"] = measured({seed: slope(ridge({cell: grid[cell][seed] for cell in grid})) for seed in seeds})
        tables["grid"][arm] = [[[shown(grid[rate, decay][seed]) for rate in RATES] for decay in DECAYS] for seed in seeds]
        tables["ridge"][arm] = ridge({cell: sum(grid[cell][seed] for seed in seeds) / len(seeds) for cell in grid})
        if arm == "adam":
            plain = min((cell for cell in grid if cell[1] == 0), key=lambda cell: sum(grid[cell][seed] for seed in TUNING))
            values["none.val_loss"] = measured({seed: grid[plain][seed] for seed in seeds})
            values["none.rate"] = measured(plain[0])
        else:
            values["adamw.gradient"] = measured({seed: gradient_size(data, *best, seed) for seed in seeds})
            values["swapped.val_loss"] = measured({seed: grids["adam"][best][seed] for seed in seeds})
    values["zero.slope"] = measured(dict.fromkeys(seeds, 0.0))
    values["minus_one.slope"] = measured(dict.fromkeys(seeds, -1.0))
    return values, tables


def shown(loss: float) -> float | None:
    return loss if math.isfinite(loss) else None


# %% pictures
NAMES = {
    "sgd": Sentence("SGD, L2", "SGD，L2"),
    "adam": Sentence("Adam, L2", "Adam，L2"),
    "adamw": Sentence("AdamW, decoupled", "AdamW，解耦"),
}


def pictures(results, folder) -> None:
    """The figures, in both languages."""
    found = results.tables
    theory = [1 / math.hypot(scale, SHRINK_DECAY) for scale in SCALES]
    draw(
        folder / "shrink",
        Axes(
            Sentence("How fast a weight shrinks", "权重缩小得有多快"),
            Sentence("size of its gradient", "梯度的大小"),
            Sentence("rate of shrinking / (lr x decay)", "缩小速度 ÷（学习率 × 衰减）"),
            log_x=True,
            log_y=True,
        ),
        [
            *[Curve(NAMES[name], SCALES, found["shrink"][name]) for name in SHRINKERS],
            Theory(Sentence("1 / size: theory for Adam", "1 ÷ 大小：Adam 的理论值"), SCALES, theory),
        ],
    )
    enough = [(rate, 1 / (rate * STEPS)) for rate in RATES if DECAYS[1] <= 1 / (rate * STEPS) <= DECAYS[-1]]
    heat(
        folder / "grid",
        Axes(
            Sentence(
                "Validation loss; solid: best decay of a rate; dashed: lr x decay x steps = 1",
                "验证损失；实线：各学习率的最佳衰减；虚线：学习率×衰减×步数=1",
            ),
            Sentence("learning rate", "学习率"),
            Sentence("weight decay", "权重衰减"),
        ),
        [
            Heat(
                NAMES[arm],
                RATES,
                DECAYS,
                found["grid"][arm],
                [tuple(point) for point in found["ridge"][arm]],
                enough if arm == "adamw" else (),
            )
            for arm in ARMS
        ],
        most=1.5,
    )


# %% look
if __name__ == "__main__":
    results_, _ = measure(range(2))
    for key, value in results_.items():
        print(f"{key:28} {value.mean if value.mean is not None else value.values[0]}")
