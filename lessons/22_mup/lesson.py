"""muP: does the best learning rate of a narrow network serve a wide one?"""

# %% setup
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from danlu.core import Recipe, Run
from danlu.data.bundled import Digits
from danlu.errors import Sentence
from danlu.losses.classification import CrossEntropy
from danlu.nets.mlp import MLP
from danlu.optim.first_order import AdamW
from danlu.optim.schedules import Linear
from danlu.study.ensemble import ensemble, sweep
from danlu.study.figure import Axes, Curve, Theory, draw
from danlu.study.results import measured
from danlu.techniques.model.mup import MuP

WIDTHS, RATES = (32, 64, 128, 256), tuple(2.0**power for power in range(-12, -2))
FEW = (*RATES[-4:], 0.25)  # where a network with a slow first layer is tried
STEPS, BATCH = 150, 32
CHECKED, CHECK_STEPS, CHECK_RATE, LOOKED = (32, 64, 128, 256, 512), 3, 0.001, 64  # the coordinate check
TOGETHER = 25  # networks of the largest width that are trained as one program; narrower ones are more


# %% one_step
def first_step(width: int, seed: int) -> tuple[float, float]:
    """How far Adam's first step moves the outputs of one layer of `width` inputs, for one row: as torch does it, and by the formula.

    The step changes every weight by the rate, with the sign of its gradient, and the gradient of a weight is its input times what comes
    back to its output: so all inputs push an output the same way.
    """
    torch.manual_seed(seed)
    layer, x, back = nn.Linear(width, 16, bias=False), torch.randn(width).relu(), torch.randn(16)
    before, optimizer = layer(x).detach(), torch.optim.Adam(layer.parameters(), lr=CHECK_RATE)
    (layer(x) * back).sum().backward()
    optimizer.step()
    moved = (layer(x) - before).detach().square().mean().sqrt()
    return float(moved), CHECK_RATE * float(x.abs().sum())


# %% mup
def maximal_update(model: nn.Module, base: int, first: float = 1.0) -> nn.Module:
    """muP for Adam on a stack of linear layers, from a network of hidden width `base` (Yang et al. 2021, table 3).

    The weights between hidden layers, whose start has a variance of 2 / width already, learn at a rate divided by width / base; so does the
    last layer, which also starts smaller. The first layer and the biases, whose inputs do not become more, are left as they are; `first` is
    for later, a share of the rate that they have of their own.
    """
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    times = layers[-1].in_features / base
    with torch.no_grad():
        layers[-1].weight *= times**-0.5
    for place, layer in enumerate(layers):
        layer.rate_shares = {"weight": first if place == 0 else 1 / times, "bias": first}  # read by danlu's optimisers
    return model


@dataclass(frozen=True)
class Net:
    """Two hidden layers of `width` units, in the usual parametrisation or, with a base width, in muP."""

    width: int
    base: int | None = None
    first: float = 1.0

    def __call__(self, facts=None) -> nn.Module:
        model = MLP(hidden=(self.width, self.width))(facts)
        return model if self.base is None else maximal_update(model, self.base, self.first)


WAYS = {"usual": (None, 1.0), "mup": (WIDTHS[0], 1.0)}
SLOW = {"slow_first": (WIDTHS[0], 0.125)}  # muP with a first layer that learns at an eighth


def recipe(width: int, way: str, rate: float = CHECK_RATE, seed: int = 0) -> Recipe:
    return Recipe(
        model=Net(width, *(WAYS | SLOW)[way]),
        data=Digits(),
        loss=CrossEntropy(),
        optimizer=AdamW(lr=rate, weight_decay=0.0),
        schedule=Linear(),
        steps=STEPS,
        batch_size=BATCH,
        validate=False,
        seed=seed,
    )


def library_gap(data, seed: int) -> float:
    """Largest difference of the weights after twenty steps: the muP above, and danlu's technique."""
    found = []
    ours = recipe(WIDTHS[-1], "mup", seed=seed)
    for one in (ours, Recipe(**{**vars(ours), "model": MLP(hidden=(WIDTHS[-1],) * 2), "techniques": (MuP(base_width=WIDTHS[0]),)})):
        with Run(one, data=data) as run:
            for _ in zip(range(20), run):
                pass
            found.append([p.detach().clone() for p in run.model.parameters()])
    return max(float((a - b).abs().max()) for a, b in zip(*found))


# %% coordinates
def outputs(model: nn.Module, x: Tensor) -> list[Tensor]:
    """What each linear layer says of x."""
    said: list[Tensor] = []
    hooks = [
        layer.register_forward_hook(lambda m, i, output: said.append(output)) for layer in model.modules() if isinstance(layer, nn.Linear)
    ]
    with torch.no_grad():
        model(x)
    for hook in hooks:
        hook.remove()
    return said


def moved(data, width: int, way: str, seed: int) -> list[float]:
    """How far each layer's outputs move in a few steps: root mean square over rows and units."""
    x = data.train.fetch(torch.arange(LOOKED), 0)[0]
    with Run(recipe(width, way, seed=seed), data=data) as run:
        before = outputs(run.model, x)
        for _ in zip(range(CHECK_STEPS), run):
            pass
        return [float((now - then).square().mean().sqrt()) for now, then in zip(outputs(run.model, x), before)]


def slope(xs, ys) -> float:
    """The power of x with which y grows: least squares over logarithms."""
    a, b = (torch.tensor(values, dtype=torch.float64).log() for values in (xs, ys))
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / (a * a).sum())


# %% sweep
def swept(data, width: int, way: str, seeds, rates=RATES) -> list[list[float]]:
    """The loss of all training rows after training, [seeds][rates]; infinite where it is not finite."""
    at_once = max(1, TOGETHER * WIDTHS[-1] // width // len(seeds))
    x, y = data.train.fetch(torch.arange(len(data.train)), 0)
    model, found = Net(width)(data.facts), {}
    for place in range(0, len(rates), at_once):
        some = rates[place : place + at_once]
        for member in ensemble(sweep(recipe(width, way), seeds=seeds, **{"optimizer.lr": some})).members:
            with torch.no_grad():
                loss = float(cross_entropy(functional_call(model, member.weights, x), y))
            found[member.recipe.seed, member.recipe.optimizer.lr] = loss if math.isfinite(loss) else math.inf
    return [[found[seed, rate] for rate in rates] for seed in seeds]


# %% best
def vertex(losses: list[float]) -> float:
    """The best rate as a binary logarithm: the vertex of the parabola through the lowest point and its two neighbours, over logarithms."""
    place = min(range(len(RATES)), key=lambda k: losses[k])
    if place in (0, len(RATES) - 1) or not all(map(math.isfinite, losses[place - 1 : place + 2])):
        return math.log2(RATES[place])
    left, middle, right = (math.log(losses[k]) for k in (place - 1, place, place + 1))
    return math.log2(RATES[place]) + 0.5 * (left - right) / (left - 2 * middle + right)


def chosen(losses: list[list[float]], without: int) -> int:
    """The place of the rate that is best for all seeds but one."""
    others = [row for place, row in enumerate(losses) if place != without]
    return min(range(len(losses[0])), key=lambda k: sum(math.log(row[k]) for row in others))


# %% measure
def measure(seeds):
    """Everything that the page shows."""
    found: dict[str, dict[int, float]] = {}
    tables: dict = {"losses": {}, "best": {}, "moved": {}}

    def note(key: str, seed: int, value: float) -> None:
        found.setdefault(key, {})[seed] = value

    data = Run(recipe(WIDTHS[0], "usual")).data
    for seed in seeds:
        note("mup.library_gap", seed, library_gap(data, seed))
        steps = [first_step(width, seed) for width in CHECKED]
        note("formula.step_gap", seed, max(abs(a / b - 1) for a, b in steps))
        note("theory_flat.slope", seed, 0.0)
        note("theory_first_step.slope", seed, slope(CHECKED, [b for _, b in steps]))
    for way in WAYS:
        moves = {seed: [moved(data, width, way, seed) for width in CHECKED] for seed in seeds}
        for layer, name in enumerate(("first", "hidden", "logits")):
            tables["moved"][f"{way}_{name}"] = [[by_width[layer] for by_width in moves[seed]] for seed in seeds]
            for seed in seeds:
                note(f"{way}_{name}.slope", seed, slope(CHECKED, [by_width[layer] for by_width in moves[seed]]))

        losses = {width: swept(data, width, way, seeds) for width in WIDTHS}
        tables["losses"][way] = {
            str(width): [[math.log10(loss) if math.isfinite(loss) else None for loss in row] for row in losses[width]] for width in WIDTHS
        }
        tables["best"][way] = [[2 ** vertex(losses[width][place]) for width in WIDTHS] for place in range(len(seeds))]
        narrow, wide = losses[WIDTHS[0]], losses[WIDTHS[-1]]
        for place, seed in enumerate(seeds):
            for width in WIDTHS:
                note(f"{way}_{width}.best", seed, vertex(losses[width][place]))
                note(f"{way}_{width}.best_rate", seed, 2 ** vertex(losses[width][place]))
            note(f"{way}.power", seed, slope(WIDTHS, tables["best"][way][place]))
            note(f"{way}_narrow.loss", seed, narrow[place][chosen(narrow, place)])
            for name, choose in (("carried", narrow), ("own", wide)):
                loss = wide[place][chosen(choose, place)]
                note(f"{way}_{name}.loss", seed, loss)
                note(f"{way}_{name}.log_loss", seed, math.log10(loss))
    for name, width in (("slow_first_own", WIDTHS[-1]), ("slow_first_narrow", WIDTHS[0])):
        slow = swept(data, width, "slow_first", seeds, rates=FEW)
        for place, seed in enumerate(seeds):
            note(f"{name}.loss", seed, slow[place][chosen(slow, place)])
    values = {key: measured(by_seed) for key, by_seed in found.items()}
    return {**values, "base.width": measured(WIDTHS[0])}, tables


# %% pictures
TITLES = {
    "usual": Sentence("Usual parametrisation: the valley moves", "通常的参数化：谷底在移动"),
    "mup": Sentence("muP: the valley stays", "muP：谷底不动"),
}
NAMES = {"usual": Sentence("usual", "通常的参数化"), "mup": Sentence("muP", "muP")}


def against_width(folder, name: str, title: Sentence, y: Sentence, widths, rows: dict, theory: Sentence, power: float) -> None:
    """Both ways against the width, and a line that begins where the usual way does and has the power of the theory."""
    x = [math.log2(width) for width in widths]
    start = math.exp(sum(math.log(row[0]) for row in rows["usual"]) / len(rows["usual"]))
    line = Theory(theory, x, [start * (width / widths[0]) ** power for width in widths])
    axes = Axes(title, Sentence("width, as a power of two", "宽度（以 2 的幂次计）"), y, log_y=True)
    draw(folder / name, axes, [*(Curve(NAMES[way], x, rows[way]) for way in WAYS), line])


def pictures(results, folder) -> None:
    """The figures, in both languages."""
    found = results.tables
    for way, title in TITLES.items():
        axes = Axes(title, Sentence("learning rate", "学习率"), Sentence("training loss, log10", "训练损失（log10）"), log_x=True)
        rows = found["losses"][way]
        draw(folder / way, axes, [Curve(Sentence(f"width {w}", f"宽度 {w}"), RATES, rows[str(w)]) for w in WIDTHS])
    title, y = Sentence("The best rate against the width", "最佳学习率随宽度的变化"), Sentence("best rate", "最佳学习率")
    against_width(folder, "best", title, y, WIDTHS, found["best"], Sentence("one over the width", "与宽度成反比"), -1.0)
    title, y = Sentence("How far three steps move the logits", "三步之后输出变了多少"), Sentence("root mean square change", "变化的均方根")
    moves = {way: found["moved"][f"{way}_logits"] for way in WAYS}
    against_width(folder, "coordinates", title, y, CHECKED, moves, Sentence("in proportion to the width", "与宽度成正比"), 1.0)


# %% look
if __name__ == "__main__":
    results_, _ = measure(range(2))
    for key, value in results_.items():
        print(f"{key:28} {value.mean if value.mean is not None else value.values[0]:.4g}")
