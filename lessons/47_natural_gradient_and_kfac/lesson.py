"""Natural gradient and K-FAC: what does the Fisher matrix know that the gradient does not?"""

# %% setup
import time
from dataclasses import replace
from functools import cache
from itertools import pairwise, product
from math import log2, log10

import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev

from danlu.core import Recipe, Run
from danlu.data.bundled import Digits
from danlu.errors import Sentence
from danlu.losses.classification import CrossEntropy
from danlu.losses.regression import MSE
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD, Adam
from danlu.study.ensemble import ensemble, sweep
from danlu.study.figure import Axes, Curve, Theory, bars, draw
from danlu.study.results import measured
from danlu.techniques.gradient.kfac import KFAC
from danlu.techniques.gradient.natural_gradient import NaturalGradient
from danlu.techniques.reports.validate import Validate

SCALES, UNITS, TOGETHER = (1.0, 3.0, 10.0, 30.0), 10.0, 5  # how inputs are rewritten; steps taken together
FEW = 64  # rows of that experiment
ROWS, DAMPING = 256, 1e-3  # rows of the exact matrix, and what is added to it
DAMPINGS = tuple(10.0**power for power in range(-6, 3))
STEPS, EVERY, LARGE, SMALL = 100, 5, 256, 32
DEEP, SHALLOW = (64, 32, 16, 6, 16, 32, 64), (64, 32, 10)  # widths of an autoencoder, and of a classifier
TRAININGS = {"large": (DEEP, LARGE), "small": (DEEP, SMALL), "easy": (SHALLOW, SMALL)}
TUNING = 1001  # the seed that chooses settings; no figure comes from it
SGD_RATES, MOMENTA = (0.03, 0.1, 0.3, 0.6, 1.0, 2.0), (0.5, 0.8, 0.9, 0.95)  # 24 settings for everybody
ADAM_RATES = tuple(0.001 * 1.25**k for k in range(24))
KFAC_RATES, KFAC_TRUSTS, KFAC_DAMPINGS = (0.1, 0.3), (1e-3, 1e-2, 1e-1), (1e-4, 1e-3, 1e-2, 1e-1)
FACTORS, INVERSES = 5, 10  # steps between two updates of the factors, and of their inverses
TIMED = 20  # steps that are timed


# %% units
digits = cache(Digits())


@cache
def pooled() -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Digits of 4 x 4 pixels, train and validation rows: so few weights that the whole Fisher matrix can be written out."""
    data = digits()
    small = lambda x: torch.nn.functional.avg_pool2d(x.view(-1, 1, 8, 8), 2).flatten(1)
    return (small(data.train.inputs), data.train.targets), (small(data.val.inputs), data.val.targets)


METHODS = {
    "gradient": (SGD(lr=0.3, momentum=0.0), ()),
    "adam": (Adam(lr=0.03, eps=1e-12), ()),
    "kfac": (SGD(lr=0.3, momentum=0.0), (KFAC(damping=1e-18, fisher="exact", factor_every=1, inverse_every=1, trust=None),)),
    "natural": (SGD(lr=0.3, momentum=0.0), (NaturalGradient(damping=1e-9, trust=None),)),
}


def rewritten(method: str, scale: float, steps: int, seed: int) -> tuple[Tensor, float]:
    """Predicted probabilities on the validation rows, and how far the weights went, in the old units.

    The inputs are `scale` times as large, and the first weights as many times smaller: the same function, in other units.
    """
    (x, y), (x_val, y_val) = pooled()
    x, y = x[:FEW], y[:FEW]
    optimizer, techniques = METHODS[method]
    recipe = Recipe(MLP(hidden=()), ((x * scale, y), (x_val * scale, y_val)), CrossEntropy(), optimizer)
    run = Run(replace(recipe, techniques=techniques, steps=steps, batch_size=len(x), precision="fp64", seed=seed))
    layer = run.model.layers[0]
    with torch.no_grad():
        layer.weight /= scale
        start = layer.weight.clone()
    for _ in run:
        pass
    with torch.no_grad():
        return run.model(x_val.double() * scale).softmax(1), float((layer.weight - start).norm() * scale)


# %% fisher
def small_net(seed: int) -> Run:
    """A net of a few hundred weights, a little trained."""
    run = Run(Recipe(MLP(hidden=(8, 8), activation="tanh"), pooled(), CrossEntropy(), Adam(lr=0.01), steps=60, batch_size=128, seed=seed))
    for _ in run:
        pass
    run.model.double()
    return run


def exact_fisher(run: Run) -> tuple[Tensor, Tensor, list[int]]:
    """F = E[J' (diag p - p p') J] over ROWS rows, the gradient of the mean loss, and how many weights each layer has (its bias with it)."""
    (x, y), _ = pooled()
    x, y = x[:ROWS].double(), y[:ROWS]
    weights = {name: p.detach() for name, p in run.model.named_parameters()}
    found = jacrev(lambda w: functional_call(run.model, w, (x,)))(weights)
    layers = [name.removesuffix(".weight") for name in weights if name.endswith("weight")]
    joined = [torch.cat([found[f"{layer}.weight"], found[f"{layer}.bias"][..., None]], -1).flatten(2) for layer in layers]
    jacobian, p = torch.cat(joined, -1), run.model(x).detach().softmax(1)  # [rows, classes, weights]
    bent = torch.diag_embed(p) - p[:, :, None] * p[:, None]
    fisher = torch.einsum("ncw,ncd,ndv->wv", jacobian, bent, jacobian) / ROWS
    error = p - torch.nn.functional.one_hot(y, 10)
    return fisher, torch.einsum("ncw,nc->w", jacobian, error) / ROWS, [part.shape[-1] for part in joined]


# %% by_hand
def kfac_by_hand(model: nn.Module, x: Tensor, slopes: list[Tensor], damping: float) -> list[Tensor]:
    """The K-FAC direction of each linear layer [out, in + 1], for slopes of that shape (the bias is the last column)."""
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    seen: dict[nn.Module, tuple[Tensor, Tensor]] = {}
    hooks = [layer.register_forward_hook(lambda layer, args, out: seen.update({layer: (args[0].detach(), out)})) for layer in layers]
    z = model(x)
    for hook in hooks:
        hook.remove()
    p, gram = z.detach().softmax(1), dict.fromkeys(layers, 0.0)
    for c in range(z.shape[1]):  # the model's own targets, each class by its probability
        start = p[:, c : c + 1].sqrt() * (p - torch.eye(z.shape[1], dtype=p.dtype)[c])
        for layer, g in zip(layers, torch.autograd.grad(z, [seen[layer][1] for layer in layers], start, retain_graph=True)):
            gram[layer] = gram[layer] + g.T @ g / len(x)
    found = []
    for layer, slope in zip(layers, slopes):
        a = torch.cat([seen[layer][0], torch.ones(len(x), 1, dtype=x.dtype)], 1)
        a, g = a.T @ a / len(x), gram[layer]
        pi = (a.diagonal().mean() / g.diagonal().mean()).sqrt()
        a, g = (m + damping**0.5 * by * torch.eye(len(m), dtype=m.dtype) for m, by in ((a, pi), (g, 1 / pi)))
        found.append(torch.linalg.solve(g, slope) @ torch.linalg.inv(a))
    return found


# %% share
def library_direction(run: Run, technique) -> list[Tensor]:
    """What danlu's technique makes of the gradient of ROWS rows, layer by layer [out, in + 1]."""
    (x, y), _ = pooled()
    recipe = Recipe(MLP(hidden=(8, 8), activation="tanh"), (x[:ROWS], y[:ROWS]), CrossEntropy(), SGD(lr=1.0, momentum=0.0))
    other = Run(replace(recipe, techniques=(technique,), steps=1, batch_size=ROWS, precision="fp64"))
    other.model.load_state_dict(run.model.state_dict())
    for _ in other:
        pass
    layers = [layer for layer in other.model.modules() if isinstance(layer, nn.Linear)]
    return [torch.cat([layer.weight.grad, layer.bias.grad[:, None]], 1) for layer in layers]


def share(direction: Tensor, slope: Tensor, matrix: Tensor) -> float:
    """Of the fall that the best step would bring, what the best step along this direction brings: 0 to 1 (Cauchy and Schwarz)."""
    return float((slope @ direction) ** 2 / (direction @ matrix @ direction) / (slope @ torch.linalg.solve(matrix, slope)))


def shares(run: Run, fisher: Tensor, slope: Tensor, sizes: list[int], damping: float) -> dict[str, float]:
    """The share of the gradient, of the gradient over F's diagonal, of K-FAC and of the natural gradient, all at one damping."""
    (x, _), _ = pooled()
    matrix = fisher + damping * torch.eye(len(fisher), dtype=fisher.dtype)
    kfac = kfac_by_hand(run.model, x[:ROWS].double(), by_layer(run, slope, sizes), damping)
    best = torch.linalg.solve(matrix, slope)
    directions = {
        "gradient": slope,
        "diagonal": slope / matrix.diagonal(),
        "kfac": torch.cat([part.flatten() for part in kfac]),
        "exact": best,
    }
    return {name: share(direction, slope, matrix) for name, direction in directions.items()}


def by_layer(run: Run, flat: Tensor, sizes: list[int]) -> list[Tensor]:
    """A vector of all weights as [out, in + 1] for each layer."""
    layers = [layer for layer in run.model.modules() if isinstance(layer, nn.Linear)]
    return [part.view(layer.out_features, -1) for part, layer in zip(flat.split(sizes), layers)]


# %% trainings
def training(name: str, optimizer, *techniques, every: int = STEPS, seed: int = 0) -> Recipe:
    """Digits through six numbers and back, which is deep, narrow and slow for the gradient; or digits told apart by one hidden layer."""
    data, (widths, batch) = digits(), TRAININGS[name]
    same = ((data.train.inputs, data.train.inputs), (data.val.inputs, data.val.inputs))
    rows, loss = (same, MSE()) if widths == DEEP else (data, CrossEntropy())
    recipe = Recipe(
        MLP(hidden=widths[1:-1], activation="tanh"), rows, loss, optimizer, techniques=techniques, steps=STEPS, batch_size=batch
    )
    return replace(recipe, validate=Validate(every=every), seed=seed)


def kfac(rate: float, trust: float, damping: float):
    """SGD with momentum along K-FAC's direction."""
    return SGD(lr=rate, momentum=0.9), KFAC(damping=damping, trust=trust, factor_every=FACTORS, inverse_every=INVERSES)


def looks(recipe: Recipe) -> list[float]:
    """The validation losses of a run; infinite from where it broke."""
    return [finite(report.metrics["val_loss"]) for report in Run(recipe) if "val_loss" in report.metrics]


def finite(loss: float | None) -> float:
    """A loss that is no number counts as infinite."""
    return float("inf") if loss is None or loss != loss else float(loss)


# %% tuned
def tuned(name: str) -> dict:
    """The best settings of each arm with the tuning seed, by the last validation loss."""
    sgd = sweep(training(name, SGD(lr=1.0)), seeds=[TUNING], **{"optimizer.lr": SGD_RATES, "optimizer.momentum": MOMENTA})
    adam = sweep(training(name, Adam(lr=1.0)), seeds=[TUNING], **{"optimizer.lr": ADAM_RATES})
    last = lambda member: finite(member.metrics["val_loss"][STEPS])
    best = {arm: min(ensemble(found).members, key=last).recipe.optimizer for arm, found in (("sgd", sgd), ("adam", adam))}
    cells = {cell: looks(training(name, *kfac(*cell), seed=TUNING))[-1] for cell in product(KFAC_RATES, KFAC_TRUSTS, KFAC_DAMPINGS)}
    return {"sgd": (best["sgd"],), "adam": (best["adam"],), "kfac": kfac(*min(cells, key=lambda cell: cells[cell]))}


# %% work
def work(name: str, arm: str) -> float:
    """Multiplications of a step, on average: three products with each weight a row; K-FAC's own are counted beside them."""
    widths, batch = TRAININGS[name]
    pairs = [(before + 1, after) for before, after in pairwise(widths)]
    weights = sum(a * g for a, g in pairs)
    plain = 3 * batch * weights
    if arm != "kfac":
        return plain
    factors = 2 * batch * weights + batch * sum(a * a + g * g for a, g in pairs)  # forward, backward, two second moments
    inverses = sum(a**3 + g**3 for a, g in pairs)
    return plain + sum(a * a * g + a * g * g for a, g in pairs) + factors / FACTORS + inverses / INVERSES


def clock(recipe: Recipe) -> float:
    """CPU seconds of a step."""
    steps = iter(Run(replace(recipe, validate=None)))
    for _ in range(INVERSES):
        next(steps)
    start = time.process_time()
    for _ in range(TIMED):
        next(steps)
    return (time.process_time() - start) / TIMED


def at(losses: list[float], step: float) -> float:
    """The loss at a step between two looks."""
    place = min(max(step / EVERY - 1, 0), len(losses) - 1)
    low = int(place)
    high = min(low + 1, len(losses) - 1)
    return losses[low] + (place - low) * (losses[high] - losses[low])


def between(fisher: Tensor, sizes: list[int]) -> float:
    """How much of the matrix, in squares, lies between layers, where K-FAC has zeros."""
    blocks = torch.block_diag(*[torch.ones(size, size, dtype=fisher.dtype) for size in sizes])
    return float((fisher * (1 - blocks)).square().sum() / fisher.square().sum())


def gap(ours: list[Tensor], theirs: list[Tensor]) -> float:
    """The largest difference, beside the largest number of its layer."""
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in zip(ours, theirs))


# %% measure
def measure(seeds):
    """Everything that the page shows."""
    values, tables = {}, {"seeds": list(seeds)}
    moved = {name: [[rewritten(name, s, 1, seed)[1] for s in SCALES] for seed in seeds] for name in METHODS}
    tables["moved"] = {name: [[m / row[0] for m in row] for row in rows] for name, rows in moved.items()}
    for name in METHODS:
        drift = {seed: (rewritten(name, 1.0, TOGETHER, seed)[0] - rewritten(name, UNITS, TOGETHER, seed)[0]).abs().max() for seed in seeds}
        values[f"{name}.drift"] = measured({seed: float(d) for seed, d in drift.items()})
        values[f"{name}.log_drift"] = measured({seed: log10(max(float(d), 1e-12)) for seed, d in drift.items()})

    nets = {seed: small_net(seed) for seed in seeds}
    known = {seed: exact_fisher(net) for seed, net in nets.items()}
    curves = {damping: {seed: shares(net, *known[seed], damping) for seed, net in nets.items()} for damping in DAMPINGS}
    for name in ("gradient", "diagonal", "kfac", "exact"):
        values[f"{name}.share"] = measured({seed: curves[DAMPING][seed][name] for seed in seeds})
        tables[f"share_{name}"] = [[curves[damping][seed][name] for damping in DAMPINGS] for seed in seeds]
    net = nets[next(iter(seeds))]
    fisher, slope, sizes = known[next(iter(seeds))]
    ours = kfac_by_hand(net.model, pooled()[0][0][:ROWS].double(), by_layer(net, slope, sizes), DAMPING)
    values["kfac.library_gap"] = measured(gap(ours, library_direction(net, KFAC(damping=DAMPING, fisher="exact", trust=None))))
    solved = torch.linalg.solve(fisher + DAMPING * torch.eye(len(fisher), dtype=fisher.dtype), slope)
    theirs = library_direction(net, NaturalGradient(damping=DAMPING, trust=None))
    values["natural.library_gap"] = measured(gap(by_layer(net, solved, sizes), theirs))
    values["fisher.weights"] = measured(float(len(fisher)))
    values["fisher.between_layers"] = measured({seed: between(matrix, sizes) for seed, (matrix, _, sizes) in known.items()})

    for name in TRAININGS:
        chosen = tuned(name)
        for arm, parts in chosen.items():
            found = {seed: looks(training(name, *parts, every=EVERY, seed=seed)) for seed in seeds}
            tables[f"{arm}_{name}"] = list(found.values())
            tables[f"{arm}_{name}_cpu"] = [clock(training(name, *parts, seed=seed)) for seed in seeds]
            values[f"{arm}_{name}.val_loss"] = measured({seed: losses[-1] for seed, losses in found.items()})
            budget = STEPS * work(name, "adam") / work(name, arm)
            values[f"{arm}_{name}.val_loss_at_equal_work"] = measured({seed: at(losses, budget) for seed, losses in found.items()})
            values[f"{arm}_{name}.work"] = measured(work(name, arm) / work(name, "adam"))
            tables[f"{arm}_{name}_setting"] = [repr(part) for part in parts]
            goals = dict(zip(seeds, (losses[-1] for losses in tables[f"sgd_{name}"])))
            steps = {s: next((EVERY * k for k, x in enumerate(losses, 1) if x <= goals[s]), 2 * STEPS) for s, losses in found.items()}
            values[f"{arm}_{name}.steps"] = measured(steps)
            values[f"{arm}_{name}.log2_steps"] = measured({s: log2(n) for s, n in steps.items()})
    return values, tables


# %% pictures
NAMES = {
    "gradient": Sentence("gradient", "梯度"),
    "adam": Sentence("Adam", "Adam"),
    "kfac": Sentence("K-FAC", "K-FAC"),
    "natural": Sentence("natural gradient", "自然梯度"),
    "diagonal": Sentence("gradient / diagonal of F", "梯度除以 F 的对角线"),
    "sgd": Sentence("SGD, momentum", "SGD 加动量"),
}


def pictures(results, folder) -> None:
    """The figures, in both languages."""
    found = results.tables
    draw(
        folder / "units",
        Axes(
            Sentence("One step, written in other units", "同一步，换一种单位写"),
            Sentence("how many times larger the inputs are written", "输入被写大的倍数"),
            Sentence("how far the function moves, beside 1", "函数的移动，以倍数 1 时为 1"),
            log_x=True,
            log_y=True,
        ),
        [
            *[Curve(NAMES[name], SCALES, found["moved"][name]) for name in METHODS],
            Theory(Sentence("theory: squared", "理论：平方"), SCALES, [s**2 for s in SCALES]),
            Theory(Sentence("theory: itself", "理论：一次方"), SCALES, SCALES),
            Theory(Sentence("theory: none", "理论：不变"), SCALES, [1.0 for _ in SCALES]),
        ],
    )
    draw(
        folder / "shares",
        Axes(
            Sentence("What a direction is worth, against damping", "各个方向值多少，随阻尼的变化"),
            Sentence("damping", "阻尼"),
            Sentence("share of the best possible fall", "占最大可能下降的份额"),
            log_x=True,
        ),
        [
            *[Curve(NAMES[name], DAMPINGS, found[f"share_{name}"]) for name in ("gradient", "diagonal", "kfac")],
            Theory(NAMES["natural"], DAMPINGS, [1.0 for _ in DAMPINGS]),
        ],
    )
    steps = list(range(EVERY, STEPS + 1, EVERY))
    loss = Sentence("validation loss", "验证损失")
    for name, title in (
        ("large", Sentence("Large batches, by steps", "大批次，按步数")),
        ("small", Sentence("Small batches, by steps", "小批次，按步数")),
        ("easy", Sentence("An easy net, by steps", "容易的网络，按步数")),
    ):
        draw(
            folder / f"steps_{name}",
            Axes(title, Sentence("step", "步数"), loss, log_y=True),
            [Curve(NAMES[arm], steps, found[f"{arm}_{name}"]) for arm in ("sgd", "adam", "kfac")],
        )
    mean = lambda arm, name: sum(found[f"{arm}_{name}_cpu"]) / len(found["seeds"])
    for name, title in (
        ("large", Sentence("Large batches, by CPU time", "大批次，按 CPU 时间")),
        ("small", Sentence("Small batches, by CPU time", "小批次，按 CPU 时间")),
        ("easy", Sentence("An easy net, by CPU time", "容易的网络，按 CPU 时间")),
    ):
        curves = []
        for arm in ("sgd", "adam", "kfac"):
            ends = [k * mean(arm, name) / mean("adam", name) for k in steps]
            fits = [k for k, end in enumerate(ends) if end <= STEPS]
            curves.append(Curve(NAMES[arm], [ends[k] for k in fits], [[losses[k] for k in fits] for losses in found[f"{arm}_{name}"]]))
        draw(
            folder / f"seconds_{name}",
            Axes(title, Sentence("CPU time, in steps of Adam", "CPU 时间，单位是 Adam 的一步"), loss, log_y=True),
            curves,
        )
    bars(
        folder / "cost",
        Axes(
            Sentence("CPU time of a K-FAC step, in steps of Adam", "K-FAC 一步的 CPU 时间，单位是 Adam 的一步"),
            Sentence("", ""),
            Sentence("ratio", "比值"),
        ),
        [
            (word, [k / a for k, a in zip(found[f"kfac_{name}_cpu"], found[f"adam_{name}_cpu"])])
            for name, word in (
                ("large", Sentence("large batches", "大批次")),
                ("small", Sentence("small batches", "小批次")),
                ("easy", Sentence("an easy net", "容易的网络")),
            )
        ],
    )


# %% look
if __name__ == "__main__":
    results_, _ = measure(range(2))
    for key, value in results_.items():
        print(f"{key:36} {value.mean if value.mean is not None else value.values[0]:.4g}")
