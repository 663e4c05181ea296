"""SAM: does a flatter minimum generalise better here?"""

# %% setup
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from math import log10

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, cross_entropy

from danlu.core import Recipe, Run
from danlu.curvature.hessian import of_run, top
from danlu.curvature.surface import sharpness
from danlu.data.mnist import MNIST
from danlu.errors import Sentence
from danlu.losses.classification import CrossEntropy
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD
from danlu.study.ensemble import ensemble, sweep
from danlu.study.figure import Axes, Curve, Theory, draw
from danlu.study.results import measured
from danlu.techniques.gradient.sam import SAM
from danlu.techniques.reports.validate import Validate

ROWS, CHOOSING, JUDGING, WRONG = 1000, 1000, 2000, 0.2  # rows that train, choose settings and judge; share of wrong labels
STEPS, BATCH, WIDTH, EVERY = 200, 64, 64, 40
RATES, RHOS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3), (0.1, 0.2, 0.5)  # every arm chooses a rate, SAM also a rho
SWEEP = (0.05, 0.1, 0.2, 0.5, 1.0)
TUNING = 1001  # the seed that chooses settings; no figure comes from it
RADIUS, TIMES = 0.5, 5.0  # how far the worst neighbour is sought; by how much a layer is rescaled
VALLEY_RATE, VALLEY_RHO, CURVATURES, VALLEY_STEPS = 0.1, 0.05, (0.5, 1.0, 2.0, 4.0, 8.0, 16.0), 400


# %% by_hand
def sam_by_hand(weights: list[Tensor], loss: Callable[[list[Tensor]], Tensor], rho: float, rate: float, steps: int) -> list[Tensor]:
    """Climb by rho along the normalised gradient, take the gradient there, go back, step down along it."""
    for _ in range(steps):
        here = [w.detach().requires_grad_() for w in weights]
        slope = torch.autograd.grad(loss(here), here)
        length = torch.cat([g.flatten() for g in slope]).norm()
        up = [(w + rho * g / length).detach().requires_grad_() for w, g in zip(here, slope)]
        worst = torch.autograd.grad(loss(up), up)
        weights = [w.detach() - rate * g for w, g in zip(weights, worst)]
    return weights


# %% valley
def resting(curvature: float) -> float:
    """How far from the bottom of c x**2 / 2 SAM goes on bouncing: the distance that a step turns into its opposite."""
    return VALLEY_RATE * curvature * VALLEY_RHO / (2 - VALLEY_RATE * curvature)


def rested(curvature: float, seed: int) -> float:
    """The same by walking there from anywhere."""
    start = torch.randn(1, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    (end,) = sam_by_hand([start], lambda w: (curvature * w[0] ** 2 / 2).sum(), VALLEY_RHO, VALLEY_RATE, VALLEY_STEPS)
    return float(end.abs())


# %% rows
@dataclass(frozen=True)
class Parts:
    """Rows that train (with wrong labels, perhaps), that choose, and that judge; each (inputs, labels)."""

    train: tuple[Tensor, Tensor]
    choose: tuple[Tensor, Tensor]
    judge: tuple[Tensor, Tensor]


def parts(wrong: float) -> Parts:
    """Digits of 14 x 14 pixels; a share `wrong` of the training labels is another digit."""
    chance = torch.Generator().manual_seed(0)
    x, y = MNIST(subset=True)().train.fetch(torch.randperm(8000, generator=chance)[: ROWS + CHOOSING + JUDGING], 0)
    x = avg_pool2d(x, 2).flatten(1)
    cut = [(a, b) for a, b in zip(x.split([ROWS, CHOOSING, JUDGING]), y.split([ROWS, CHOOSING, JUDGING]))]
    labels = cut[0][1].clone()
    moved = torch.randperm(ROWS, generator=chance)[: int(wrong * ROWS)]
    labels[moved] = (labels[moved] + torch.randint(1, 10, (len(moved),), generator=chance)) % 10
    return Parts((cut[0][0], labels), cut[1], cut[2])


# %% training
rows_of = cache(parts)


def recipe(wrong: float, rate: float, steps: int, seed: int = TUNING) -> Recipe:
    """The training without SAM; the rows that choose validate it."""
    rows = rows_of(wrong)
    base = Recipe(MLP(hidden=(WIDTH,)), (rows.train, rows.choose), CrossEntropy(), SGD(lr=rate, momentum=0.9), steps=steps)
    return replace(base, batch_size=BATCH, seed=seed, validate=Validate(every=steps))


@cache
def trained(wrong: float, rho: float, rate: float, steps: int, seed: int) -> tuple[Run, list[dict[str, float]]]:
    """The run at its end, and what was seen every EVERY steps."""
    techniques = (SAM(rho=rho),) if rho else ()
    run, seen = Run(replace(recipe(wrong, rate, steps, seed), techniques=techniques)), []
    for report in run:
        if report.step % EVERY == 0:
            with torch.no_grad():
                right = {name: float((run.model(x).argmax(1) == y).float().mean()) for name, (x, y) in vars(rows_of(wrong)).items()}
                seen.append({**right, "loss": float(cross_entropy(run.model(rows_of(wrong).train[0]), rows_of(wrong).train[1]))})
    return run, seen


def chosen(wrong: float, steps: int) -> float:
    """The rate with the best accuracy on the rows that choose, with the tuning seed, for a training without SAM."""
    found = ensemble(sweep(recipe(wrong, 1.0, steps), seeds=[TUNING], **{"optimizer.lr": RATES}))
    return max(RATES, key=lambda rate: found.where(**{"optimizer.lr": rate}).last("val_accuracy")[TUNING])


def chosen_sam(wrong: float) -> tuple[float, float]:
    """The rho and the rate, chosen in the same way."""
    cells = {(rho, rate): trained(wrong, rho, rate, STEPS, TUNING)[1][-1]["choose"] for rho in RHOS for rate in RATES}
    return max(cells, key=lambda cell: cells[cell])


# %% flatness
def flatness(run: Run) -> tuple[float, float]:
    """The largest curvature, and how far the loss rises within RADIUS, on training rows."""
    with of_run(run, run.data.train) as hessian:
        steepest = top(hessian, count=1, steps=25)
        return steepest.values[0], sharpness(hessian, RADIUS, [steepest.vectors[0]], steps=5, draws=1).worst


def rewrite(run: Run) -> Run:
    """The same function with other weights: a ReLU passes a factor on (Dinh et al. 2017)."""
    layers = [layer for layer in run.model.modules() if isinstance(layer, torch.nn.Linear)]
    with torch.no_grad():
        layers[0].weight *= TIMES
        layers[0].bias *= TIMES
        layers[1].weight /= TIMES
    return run


# %% measure
def library_gap() -> tuple[float, float]:
    """danlu's SAM beside the loop by hand after 5 steps; and with rho = 0 beside no SAM at all."""
    x, y = (part[:BATCH] for part in parts(0.0).train)
    recipe = Recipe(MLP(hidden=(8,)), (x, y), CrossEntropy(), SGD(lr=0.1, momentum=0.0), steps=5, batch_size=BATCH, precision="fp64")
    ends = []
    for techniques in ((SAM(rho=0.1),), (SAM(rho=0.0),), ()):
        run = Run(replace(recipe, techniques=techniques))
        start = [p.detach().clone() for p in run.model.parameters()]
        for _ in run:
            pass
        ends.append([p.detach() for p in run.model.parameters()])
    forward = lambda w: torch.relu(x.double() @ w[0].T + w[1]) @ w[2].T + w[3]
    ours = sam_by_hand(start, lambda w: cross_entropy(forward(w), y), 0.1, 0.1, 5)
    far = lambda a, b: max(float((p - q).abs().max()) for p, q in zip(a, b))
    return far(ours, ends[0]), far(ends[1], ends[2])


def measure(seeds):
    """Everything that the page shows."""
    values, tables = {}, {"seeds": list(seeds)}
    gaps = library_gap()
    values |= {"sam.library_gap": measured(gaps[0]), "sam.neutral_gap": measured(gaps[1])}
    tables["rested"] = [[c * rested(c, seed) ** 2 / 2 for c in CURVATURES] for seed in seeds]
    values["valley.formula_gap"] = measured(max(abs(rested(c, 0) - resting(c)) for c in CURVATURES))

    for ending, wrong in (("", WRONG), ("_clean", 0.0)):
        arms = {"sam": (*chosen_sam(wrong), STEPS), "base": (0.0, chosen(wrong, STEPS), STEPS)}
        arms["base_long"] = (0.0, chosen(wrong, 2 * STEPS), 2 * STEPS)
        for name, (rho, rate, steps) in arms.items():
            tables[f"{name}{ending}_setting"] = {"rho": rho, "rate": rate}
            found = {seed: trained(wrong, rho, rate, steps, seed) for seed in seeds}
            values[f"{name}{ending}.accuracy"] = measured({s: seen[-1]["judge"] for s, (_, seen) in found.items()})
            values[f"{name}{ending}.train_loss"] = measured({s: seen[-1]["loss"] for s, (_, seen) in found.items()})
            tables[f"{name}{ending}"] = [[look["judge"] for look in seen] for _, seen in found.values()]
            if not ending:
                flat = {s: flatness(run) for s, (run, _) in found.items()}
                values[f"{name}.sharpness"] = measured({s: f[0] for s, f in flat.items()})
                values[f"{name}.log_sharpness"] = measured({s: log10(f[0]) for s, f in flat.items()})
                values[f"{name}.rise"] = measured({s: f[1] for s, f in flat.items()})
            if name == "base_long":
                best = {s: max(seen, key=lambda look: look["choose"]) for s, (_, seen) in found.items()}
                values[f"stopped{ending}.accuracy"] = measured({s: look["judge"] for s, look in best.items()})
            if name == "base" and not ending:
                x = rows_of(wrong).judge[0]
                before = {s: run.model(x).detach() for s, (run, _) in found.items()}
                same = {s: flatness(rewrite(run))[0] for s, (run, _) in found.items()}
                values["rescaled.log_sharpness"] = measured({s: log10(f) for s, f in same.items()})
                values["rescaled.sharpness"] = measured(same)
                off = {s: float((run.model(x).detach() - before[s]).abs().max() / before[s].abs().max()) for s, (run, _) in found.items()}
                values["rescaled.function_gap"] = measured(max(off.values()))

    rate = tables["sam_setting"]["rate"]
    swept = {rho: {s: trained(WRONG, rho, rate, STEPS, s) for s in seeds} for rho in SWEEP}
    tables["sweep_error"] = [[1 - swept[rho][s][1][-1]["judge"] for rho in SWEEP] for s in seeds]
    tables["sweep_sharpness"] = [[flatness(swept[rho][s][0])[0] for rho in SWEEP] for s in seeds]
    return values, tables


# %% pictures
NAMES = {
    "sam": Sentence("SAM", "SAM"),
    "base": Sentence("without", "不用"),
    "base_long": Sentence("without, twice the steps", "不用，步数加倍"),
}


def pictures(results, folder) -> None:
    """The figures, in both languages."""
    found = results.tables
    draw(
        folder / "valley",
        Axes(
            Sentence("Where SAM comes to rest in a valley", "SAM 在山谷里停在多高的地方"),
            Sentence("curvature", "曲率"),
            Sentence("loss it keeps", "始终降不下去的损失"),
            log_x=True,
            log_y=True,
        ),
        [
            Curve(Sentence("walked", "走出来的"), CURVATURES, found["rested"]),
            Theory(Sentence("formula", "公式"), CURVATURES, [c * resting(c) ** 2 / 2 for c in CURVATURES]),
        ],
    )
    rho = Sentence("rho", "rho")
    for name, title, word in (
        ("sweep_error", Sentence("Error against rho", "错误率随 rho 的变化"), Sentence("error", "错误率")),
        ("sweep_sharpness", Sentence("Sharpness against rho", "曲率随 rho 的变化"), Sentence("largest curvature", "最大曲率")),
    ):
        draw(folder / name, Axes(title, rho, word, log_x=True, log_y=True), [Curve(NAMES["sam"], SWEEP, found[name])])
    draw(
        folder / "cost",
        Axes(
            Sentence("Accuracy for equal cost", "代价相同时的准确率"),
            Sentence("evaluations of the gradient", "梯度求值次数"),
            Sentence("accuracy", "准确率"),
        ),
        [
            Curve(NAMES["sam"], [2 * s for s in range(EVERY, STEPS + 1, EVERY)], found["sam"]),
            Curve(NAMES["base_long"], list(range(EVERY, 2 * STEPS + 1, EVERY)), found["base_long"]),
        ],
    )


# %% look
if __name__ == "__main__":
    results_, _ = measure(range(2))
    for key, value in results_.items():
        print(f"{key:28} {value.mean if value.mean is not None else value.values[0]:.4g}")
