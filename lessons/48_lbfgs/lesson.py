"""L-BFGS: why does it win on full batches and fail on small ones?"""

# %% setup
from collections.abc import Callable
from dataclasses import replace
from math import log10

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor
from torch.nn.functional import cross_entropy

from danlu.core import Recipe, Run, Technique
from danlu.data.bundled import Digits
from danlu.errors import Sentence
from danlu.losses.classification import CrossEntropy
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD, Adam
from danlu.optim.lbfgs import LBFGS
from danlu.study.figure import Axes, Curve, Theory, draw
from danlu.study.results import measured
from danlu.techniques.objective.l2 import L2

PENALTY, EVALUATIONS, PASSES, HISTORY = 1e-3, 150, 12, 10
BATCHES = (1024, 512, 256, 128, 64, 32)
RACED = (512, 128, 32)  # of these, the batches that are trained with
TUNING = 1001  # the seed that chooses settings; no figure comes from it
MARKS = tuple(range(5, EVALUATIONS + 1, 5))  # evaluations at which the full-batch curves are read
ADAM_RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
MOMENTUM_SETTINGS = tuple((rate, momentum) for momentum in (0.8, 0.9, 0.95) for rate in (1.0, 3.0, 10.0))
LBFGS_SETTINGS = (
    *[LBFGS(max_iter=count, history=HISTORY) for count in (1, 5, 20)],
    *[LBFGS(lr=rate, max_iter=1, history=HISTORY, line_search="none") for rate in (0.01, 0.1, 1.0)],
)
PAIRS, EARLY, LATE = 100, 10, 60  # drawn pairs of batches; evaluations after which noise is looked at


# %% problem
DATA = Digits()()


def problem() -> tuple[Tensor, Tensor]:
    """All training rows [rows, 65], a one at the end of each, and their labels."""
    train = DATA.train
    x = train.inputs.double()
    return torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], 1), train.targets


X, Y = problem()


def loss(w: Tensor) -> Tensor:
    """Softmax regression with a penalty, on all rows; w [10 * 65]."""
    matrix = w.view(10, 65)
    return cross_entropy(X @ matrix.T, Y) + PENALTY / 2 * matrix[:, :64].square().sum()


def value_and_slope(w: np.ndarray) -> tuple[float, np.ndarray]:
    """For scipy."""
    at = torch.tensor(w, requires_grad=True)
    found = loss(at)
    return found.item(), torch.autograd.grad(found, at)[0].numpy()


# %% two_loops
def direction(slope: Tensor, moves: list[Tensor], changes: list[Tensor]) -> Tensor:
    """-H slope, with H made of the last moves s and changes of the slope y, newest last; H is never written down."""
    q, shares = slope.clone(), []
    for s, y in zip(reversed(moves), reversed(changes)):
        shares.append((s @ q) / (y @ s))
        q = q - shares[-1] * y
    if moves:
        q = q * (moves[-1] @ changes[-1]) / (changes[-1] @ changes[-1])
    for s, y, share in zip(moves, changes, reversed(shares)):
        q = q + (share - (y @ q) / (y @ s)) * s
    return -q


def by_hand(w: Tensor, steps: int) -> Tensor:
    """L-BFGS without a line search: the first step is short, the others are of length 1."""
    moves: list[Tensor] = []
    changes: list[Tensor] = []
    before = None
    for _ in range(steps):
        at = w.clone().requires_grad_()
        slope = torch.autograd.grad(loss(at), at)[0]
        if before is not None:
            changes.append(slope - before)
        way = direction(slope, moves[-HISTORY:], changes[-HISTORY:])
        moves.append(way if before is not None else way * min(1.0, 1 / float(slope.abs().sum())))
        w, before = w + moves[-1], slope
    return w


# %% training
def recipe(optimizer, batch: int, seed: int, *techniques: Technique) -> Recipe:
    """The same loss through the ordinary loop."""
    base = Recipe(MLP(hidden=()), DATA, CrossEntropy(), optimizer, techniques=(*techniques, L2(weight=PENALTY)), precision="fp64")
    return replace(base, batch_size=batch, steps=10**6, seed=seed)


def flat(run: Run) -> Tensor:
    """The weights as `loss` takes them."""
    layer = run.model.layers[0]
    return torch.cat([layer.weight.detach(), layer.bias.detach()[:, None]], 1).flatten().clone()


class Seen(Technique):
    """Keeps the weights at which the gradient was asked for, which a step of L-BFGS does many times."""

    def wrap_gradient(self, gradient, run):
        self.path: list[Tensor] = []

        def kept(objective, batches):
            self.path.append(flat(run))
            return gradient(objective, batches)

        return kept


def asked(optimizer, seed: int) -> list[Tensor]:
    """The weights at the first EVALUATIONS evaluations of all rows."""
    run = Run(recipe(optimizer, len(X), seed, Seen()))
    seen = run.techniques[0]
    for _ in run:
        if len(seen.path) >= EVALUATIONS:
            break
    return seen.path[:EVALUATIONS]


def trained(optimizer, batch: int, seed: int) -> Tensor:
    """The weights after PASSES times as many rows as there are have been looked at."""
    run = Run(recipe(optimizer, batch, seed))
    for report in run:
        states = [state for state in run.optimizer.state.values() if "func_evals" in state]
        if (states[0]["func_evals"] if states else report.step) * batch >= PASSES * len(X):
            break
    return flat(run)


def scipy_asked(w: Tensor) -> list[Tensor]:
    """The same by scipy's L-BFGS-B, from the same weights."""
    path: list[Tensor] = []

    def kept(at: np.ndarray) -> tuple[float, np.ndarray]:
        path.append(torch.tensor(at))
        return value_and_slope(at)

    options = {"maxcor": HISTORY, "maxfun": EVALUATIONS, "maxiter": EVALUATIONS, "ftol": 0.0, "gtol": 0.0}
    minimize(kept, w.numpy(), jac=True, method="L-BFGS-B", options=options)
    return path[:EVALUATIONS]


def lowest() -> float:
    """The smallest loss there is: the loss is convex, so whoever gets to a slope of zero has found it."""
    options = {"maxcor": 50, "maxfun": 5000, "maxiter": 5000, "ftol": 0.0, "gtol": 1e-9}
    return float(minimize(value_and_slope, np.zeros(650), jac=True, method="L-BFGS-B", options=options).fun)


def lowest_at(path: list[Tensor], marks) -> list[Tensor]:
    """The weights with the smallest loss of those that were looked at by each mark."""
    losses = [float(loss(w)) for w in path]
    return [path[min(range(min(mark, len(path))), key=lambda k: losses[k] if losses[k] == losses[k] else float("inf"))] for mark in marks]


def log_gap(w: Tensor, best: float) -> float:
    """How far the loss is above the smallest, as a decimal logarithm; weights that are not finite count as 10."""
    above = float(loss(w)) - best
    return 1.0 if not above < 10 else log10(max(above, 1e-12))


# %% noise
def moments(w: Tensor, step: Tensor) -> tuple[float, float, float]:
    """Squared length of the true change y, and variances over rows of the slopes at both ends (summed) and of the row's own change."""
    ends = [(X @ at.view(10, 65).T).softmax(1) - torch.nn.functional.one_hot(Y, 10) for at in (w, w + step)]
    spread = lambda e: float((e.square().sum(1) * X.square().sum(1)).mean() - (e.T @ X / len(X)).square().sum())
    change = ends[1] - ends[0]
    penalty = PENALTY * step.view(10, 65).clone()
    penalty[:, 64] = 0
    return float((change.T @ X / len(X) + penalty).square().sum()), spread(ends[0]) + spread(ends[1]), spread(change)


def formula(variance: float, length: float, batch: int) -> float:
    """Noise beside the signal: a mean of `batch` of the rows, drawn without replacement."""
    return (variance / batch * (len(X) - batch) / (len(X) - 1) / length) ** 0.5


def drawn(w: Tensor, step: Tensor, batch: int, seed: int, same: bool) -> float:
    """The same by drawing pairs of batches: one at w and another at w + step, or one for both."""
    chance, length = torch.Generator().manual_seed(seed), moments(w, step)[0]
    errors = [(X @ at.view(10, 65).T).softmax(1) - torch.nn.functional.one_hot(Y, 10) for at in (w, w + step)]
    mean = lambda e, rows: e[rows].T @ X[rows] / batch
    true, off = (errors[1] - errors[0]).T @ X / len(X), 0.0
    for _ in range(PAIRS):
        first = torch.randperm(len(X), generator=chance)[:batch]
        second = first if same else torch.randperm(len(X), generator=chance)[:batch]
        off += float((mean(errors[1], second) - mean(errors[0], first) - true).square().sum()) / PAIRS
    return (off / length) ** 0.5


# %% measure
def best_of(settings, train: Callable[..., Tensor], best: float):
    """The optimiser whose last loss is lowest with the tuning seed."""
    return min(settings, key=lambda optimizer: log_gap(train(optimizer), best))


def measure(seeds):
    """Everything that the page shows."""
    values, tables, best = {}, {"seeds": list(seeds)}, lowest()
    adams = [Adam(lr=rate) for rate in ADAM_RATES]
    on_all = lambda optimizer: lowest_at(asked(optimizer, TUNING), [EVALUATIONS])[0]
    chosen = {
        "lbfgs": LBFGS(history=HISTORY),
        "lbfgs_free": LBFGS(history=HISTORY, line_search="none"),
        "adam": best_of(adams, on_all, best),
        "momentum": best_of([SGD(lr=r, momentum=m) for r, m in MOMENTUM_SETTINGS], on_all, best),
    }
    values |= {"adam.rate": measured(chosen["adam"].lr), "momentum.rate": measured(chosen["momentum"].lr)}
    values["momentum.momentum"] = measured(chosen["momentum"].momentum)
    paths = {name: {seed: asked(optimizer, seed) for seed in seeds} for name, optimizer in chosen.items()}
    paths["scipy"] = {seed: scipy_asked(path[0]) for seed, path in paths["lbfgs"].items()}
    outside = torch.cat([DATA.val.inputs.double(), torch.ones(len(DATA.val.targets), 1, dtype=torch.float64)], 1)
    for name, found in paths.items():
        read = {seed: lowest_at(path, MARKS) for seed, path in found.items()}
        tables[name] = [[log_gap(w, best) for w in points] for points in read.values()]
        values[f"{name}.log_gap"] = measured({seed: log_gap(points[-1], best) for seed, points in read.items()})
        score = lambda w: float(cross_entropy(outside @ w.view(10, 65).T, DATA.val.targets))
        values[f"{name}.val_loss"] = measured({seed: score(points[-1]) for seed, points in read.items()})

    first = paths["lbfgs"][next(iter(seeds))][0]
    theirs = asked(LBFGS(max_iter=20, history=HISTORY, line_search="none"), next(iter(seeds)))
    values["lbfgs.library_gap"] = measured(float((by_hand(first, 12) - theirs[12]).abs().max()))

    for batch in (len(X), *RACED):
        key = "all" if batch == len(X) else batch
        for name, settings in (("lbfgs", LBFGS_SETTINGS), ("adam", adams)):
            optimizer = best_of(settings, lambda optimizer, batch=batch: trained(optimizer, batch, TUNING), best)
            tables[f"{name}_{key}_setting"] = repr(optimizer)
            values[f"{name}_{key}.log_gap"] = measured({seed: log_gap(trained(optimizer, batch, seed), best) for seed in seeds})

    for name, mark in (("early", EARLY), ("late", LATE)):
        ends = {seed: lowest_at(path, (mark, mark + 5)) for seed, path in paths["lbfgs"].items()}
        found = {seed: moments(a, b - a) for seed, (a, b) in ends.items()}
        for kind, place in (("two", 1), ("same", 2)):
            if name == "late" or kind == "two":
                tables[f"noise_{name}_{kind}"] = [[drawn(a, b - a, n, s, kind == "same") for n in BATCHES] for s, (a, b) in ends.items()]
                mean = lambda n, place=place, found=found: sum(formula(m[place], m[0], n) for m in found.values()) / len(found)
                tables[f"formula_{name}_{kind}"] = [mean(n) for n in BATCHES]
        if name == "late":
            values["measured_32.log_noise"] = measured({s: log10(row[-1]) for s, row in zip(seeds, tables["noise_late_two"])})
            values["formula_32.log_noise"] = measured({s: log10(formula(m[1], m[0], 32)) for s, m in found.items()})
            values["two_32.noise"] = measured({s: row[-1] for s, row in zip(seeds, tables["noise_late_two"])})
            values["same_32.noise"] = measured({s: row[-1] for s, row in zip(seeds, tables["noise_late_same"])})
    return values, tables


# %% pictures
NAMES = {
    "lbfgs": Sentence("L-BFGS", "L-BFGS"),
    "scipy": Sentence("scipy's L-BFGS-B", "scipy 的 L-BFGS-B"),
    "lbfgs_free": Sentence("L-BFGS, no line search", "L-BFGS，无线搜索"),
    "adam": Sentence("Adam, tuned", "Adam（已调）"),
    "momentum": Sentence("momentum, tuned", "动量（已调）"),
}
ABOVE = Sentence("loss above the smallest (log10)", "损失与最小值之差（以 10 为底的对数）")


def pictures(results, folder) -> None:
    """The figures, in both languages."""
    found, seeds = results.tables, range(len(results.tables["seeds"]))
    draw(
        folder / "full",
        Axes(Sentence("Full batches", "全批量"), Sentence("evaluations of all rows", "对全部数据求值的次数"), ABOVE),
        [Curve(label, MARKS, found[name]) for name, label in NAMES.items()],
    )
    sizes = (len(X), *RACED)
    keys = ("all", *RACED)
    draw(
        folder / "shrinking",
        Axes(
            Sentence("Shrinking batches, equal passes over the data", "批次越来越小，看过的数据一样多"),
            Sentence("rows a step", "每步行数"),
            ABOVE,
            log_x=True,
        ),
        [
            Curve(label, sizes, [[results.value(f"{name}_{key}.log_gap").values[seed] for key in keys] for seed in seeds])
            for name, label in (
                ("lbfgs", Sentence("L-BFGS, best of six", "L-BFGS，六种设置取最好")),
                ("adam", Sentence("Adam, best of six", "Adam，六种设置取最好")),
            )
        ],
    )
    curves = (
        ("late_two", Sentence("two batches, late", "两个批次，后期")),
        ("early_two", Sentence("two batches, early", "两个批次，早期")),
        ("late_same", Sentence("the same batch twice, late", "同一批次两次，后期")),
    )
    draw(
        folder / "noise",
        Axes(
            Sentence("What a change of the slope is buried under", "斜率之差被多少噪声盖住"),
            Sentence("rows a batch", "每批行数"),
            Sentence("noise beside signal", "噪声与信号之比"),
            log_x=True,
            log_y=True,
        ),
        [
            *[Curve(label, BATCHES, found[f"noise_{name}"]) for name, label in curves],
            *[Theory(Sentence(f"{label.en}: formula", f"{label.zh}：公式"), BATCHES, found[f"formula_{name}"]) for name, label in curves],
        ],
    )


# %% look
if __name__ == "__main__":
    results_, _ = measure(range(2))
    for key, value in results_.items():
        print(f"{key:28} {value.mean if value.mean is not None else value.values[0]:.4g}")
