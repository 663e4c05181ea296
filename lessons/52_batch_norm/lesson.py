"""Batch normalisation: what are its statistics facts of? Of the batch, of the split, of the history; never of the length of the weights."""

# %% setup
import copy
import math
import threading
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from danlu.core import Recipe, Run, Technique
from danlu.data.mnist import MNIST
from danlu.data.source import Tensors
from danlu.errors import Sentence
from danlu.losses.classification import CrossEntropy
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD
from danlu.placement.norms import synced
from danlu.study.figure import Axes, Curve, Theory, draw
from danlu.study.results import measured
from danlu.techniques.gradient.sam import SAM
from danlu.techniques.model.frozen_norm import FrozenNorm, frozen
from danlu.techniques.model.ghost_norm import GhostBatchNorm, GhostNorm
from danlu.techniques.reports.validate import Validate

WIDTH, BATCH, PART = 64, 64, 16  # units of a hidden layer; rows of a step; rows of a part of it
SIZES = (2, 4, 8, 16, 32, 64, 128)  # rows that are normalised together, in the picture of the noise
WATCHED, DRAWS = 30, 40  # rows whose values are watched, and how many sets of companions each gets
GROUPS, STEPS, TUNED_STEPS = (2, 8, 64), 100, 50
RATES, TUNING = (0.01, 0.03, 0.1, 0.3), (1001, 1002)  # learning rates, and the seeds that choose among them
RADII, RATE, SHORT = (0.0, 0.1, 0.3, 1.0), 0.1, 60  # of SAM; rate and steps of the loops by hand
HIDDEN_RATES, LONGER = (1.0, 10.0, 100.0, 1000.0), 10.0  # rates of the matrices before a norm; what these are multiplied by
SMALL = 1e-10  # an eps that is next to nothing


# %% norm
def normalised(x: Tensor, scale: Tensor, shift: Tensor, kept: tuple[Tensor, Tensor], training: bool, momentum=0.1, eps=1e-5) -> Tensor:
    """BatchNorm of x [rows, units]; `kept` is the running mean and the running variance, which training moves."""
    mean, variance = kept
    if training:
        mean, variance = x.mean(0), x.var(0, unbiased=False)
        kept[0].lerp_(mean.detach(), momentum)
        kept[1].lerp_(variance.detach() * len(x) / (len(x) - 1), momentum)
    return scale * (x - mean) / (variance + eps).sqrt() + shift


def library_gap(x: Tensor) -> float:
    """The largest difference from torch's own, and from danlu's groups of PART rows: outputs and running statistics, in both modes."""
    units, gaps = x.shape[1], []
    one, zero = torch.ones(units), torch.zeros(units)
    for norm, parts in ((nn.BatchNorm1d(units), [x]), (GhostBatchNorm(nn.BatchNorm1d(units), PART), list(x.split(PART)))):
        kept = [(zero.clone(), one.clone()) for _ in parts]  # groups keep the mean of their statistics
        ours = torch.cat([normalised(part, one, zero, own, True) for part, own in zip(parts, kept)])
        mean, variance = (sum(own[place] for own in kept) / len(kept) for place in (0, 1))
        gaps += [ours - norm(x), mean - norm.running_mean, variance - norm.running_var]
        gaps.append(normalised(x, one, zero, (mean, variance), False) - norm.eval()(x))
    return max(float(gap.detach().abs().max()) for gap in gaps)


# %% noise
def noise(x: Tensor, size: int, seed: int) -> float:
    """How much the normalised value of a row of x depends on its companions: deviation over DRAWS sets of them."""
    draw_ = torch.Generator().manual_seed(seed)
    standard, squares = (x - x.mean(0)) / x.std(0), []
    for row in range(WATCHED):
        companions = torch.randint(len(x), (DRAWS, size - 1), generator=draw_)
        batches = torch.cat([standard[row].expand(DRAWS, 1, -1), standard[companions]], 1)
        values = (standard[row] - batches.mean(1)) / (batches.var(1, unbiased=False) + 1e-5).sqrt()
        squares.append(values.var(0).mean())
    return math.sqrt(float(torch.stack(squares).mean()))


def predicted_noise(size: int) -> float:
    """A mean over n rows is off by 1 / sqrt(n) of a deviation, a deviation of a Gaussian by 1 / sqrt(2 n) of itself."""
    return math.sqrt(1.5 / size)


# %% split
class Together:
    """Adds up a tensor over threads that stand for processes: each brings its own, and all get the sum."""

    def __init__(self, count: int):
        self.barrier, self.brought, self.own = threading.Barrier(count, timeout=60), [torch.zeros(())] * count, threading.local()

    def __call__(self, value: Tensor) -> Tensor:
        self.brought[self.own.place] = value.detach()
        self.barrier.wait()
        total = torch.stack(self.brought).sum(0)
        self.barrier.wait()
        return total


def gradient(model: nn.Module, x: Tensor, y: Tensor, rows: int) -> Tensor:
    """The gradient of the mean loss over x, looked at in parts of `rows` rows."""
    model.zero_grad()
    for inputs, targets in zip(x.split(rows), y.split(rows)):
        (cross_entropy(model(inputs), targets, reduction="sum") / len(x)).backward()
    return torch.cat([p.grad.flatten().double() for p in model.parameters()])


def synced_gradient(model: nn.Module, x: Tensor, y: Tensor, rows: int) -> Tensor:
    """The same with a thread for each part, whose norms know of one another."""
    parts = list(zip(x.split(rows), y.split(rows)))
    total, found = Together(len(parts)), [torch.zeros(())] * len(parts)
    models = [synced(copy.deepcopy(model), total) for _ in parts]

    def work(place: int) -> None:
        total.own.place = place
        inputs, targets = parts[place]
        found[place] = gradient(models[place], inputs, targets, rows) * len(inputs) / len(x)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(parts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return torch.stack(found).sum(0)


def ghosts(model: nn.Module) -> nn.Module:
    """`model` with every BatchNorm over groups of PART rows."""
    for place, layer in enumerate(model.layers):
        if isinstance(layer, nn.BatchNorm1d):
            model.layers[place] = GhostBatchNorm(layer, PART)
    return model


def gaps(model: nn.Module, x: Tensor, y: Tensor) -> dict[str, float]:
    """How far the gradient of the parts is from that of the whole, over its length, for each kind of norm."""
    off = lambda parts, whole: float((parts - whole).norm() / whole.norm())
    found = {"sync": off(synced_gradient(model, x, y, PART), gradient(copy.deepcopy(model), x, y, BATCH))}
    for name, change in (("batch", lambda m: m), ("ghost", ghosts), ("frozen", frozen)):
        changed = change(copy.deepcopy(model))
        found[name] = off(gradient(changed, x, y, PART), gradient(changed, x, y, BATCH))
    return found


# %% recipes
def recipe(seed: int, rate: float, *techniques: Technique, **changes) -> Recipe:
    """Two hidden layers with BatchNorm."""
    plain = {
        "model": MLP(hidden=(WIDTH, WIDTH), norm="batch"),
        "data": None,
        "loss": CrossEntropy(),
        "optimizer": SGD(lr=rate, momentum=0.9),
        "techniques": techniques,
        "steps": STEPS,
        "batch_size": BATCH,
        "validate": Validate(every=10**6),  # at the end
        "seed": seed,
    }
    return Recipe(**{**plain, **changes})


def trained(data, *arguments, live: bool = False, **changes) -> tuple[nn.Module, dict[str, float]]:
    """The model and its validation; live: its loss with the statistics of each group of validation rows instead of running ones, too."""
    with Run(recipe(*arguments, **changes), data=data) as run:
        for report in run:
            last = report.metrics
        found, model = {name: float(last[name]) for name in ("val_loss", "val_accuracy")}, run.model
    if live:
        x, y = data.val.fetch(torch.arange(len(data.val)), 0)
        with torch.no_grad():
            found["live_loss"] = float(cross_entropy(copy.deepcopy(model).train()(x), y))
    return model, found


def best_rate(train) -> float:
    """The rate at which the tuning seeds end with the lowest validation loss; one that is not finite is the highest."""
    losses = {rate: sum(train(seed, rate)["val_loss"] for seed in TUNING) for rate in RATES}
    return min(RATES, key=lambda rate: losses[rate] if math.isfinite(losses[rate]) else math.inf)


# %% turned
def turned(data):
    """The same digits, turned by a quarter."""
    sides = {name: getattr(data, name).fetch(torch.arange(len(getattr(data, name))), 0) for name in ("train", "val")}
    return replace(data, **{name: Tensors(x.rot90(1, (2, 3)), y) for name, (x, y) in sides.items()})


# %% by_hand
def by_hand(model: nn.Module, batches, radius: float | None = None, hidden: float = RATE):
    """Plain SGD, or SAM as it is usually written: with a radius each step has two looks, in training mode both. Yields every loss."""
    weights = list(model.parameters())
    rates = [hidden if w.dim() == 2 and len(w) == WIDTH else RATE for w in weights]  # `hidden` is for the matrices before a norm
    model.train()

    def look(x: Tensor, y: Tensor) -> float:
        model.zero_grad()
        loss = cross_entropy(model(x), y)
        loss.backward()
        return loss.item()

    for x, y in batches:
        loss = look(x, y)
        start = [w.detach().clone() for w in weights]
        if radius is not None:
            with torch.no_grad():
                length = math.sqrt(sum(float((w.grad**2).sum()) for w in weights))
                for w in weights:
                    w += radius / length * w.grad
            look(x, y)  # and the running statistics move again
        with torch.no_grad():
            for w, from_, rate in zip(weights, start, rates):
                w.copy_(from_ - rate * w.grad)
        yield loss


class TwoLooks(Technique):
    """Ask for the gradient twice, and use the second answer: SAM with a radius of zero."""

    def wrap_gradient(self, gradient, run):
        def twice(objective, batches):
            gradient(objective, batches)
            return gradient(objective, batches)

        return twice


def by_danlu(data, seed: int, *techniques: Technique) -> nn.Module:
    return trained(data, seed, RATE, *techniques, optimizer=SGD(lr=RATE, momentum=0.0), steps=SHORT)[0]


# %% statistics
def norms(model: nn.Module) -> list[nn.BatchNorm1d]:
    return [module for module in model.modules() if isinstance(module, nn.BatchNorm1d)]


def apart(one: nn.Module, other: nn.Module) -> float:
    """Distance of the running means of two models, in deviations of a unit, root mean square over units."""
    steps = [(a.running_mean - b.running_mean) / b.running_var.sqrt() for a, b in zip(norms(one), norms(other))]
    return float(torch.cat(steps).double().square().mean().sqrt())


@torch.no_grad()
def loss_of(model: nn.Module, x: Tensor, y: Tensor) -> float:
    return float(cross_entropy(model.eval()(x), y))


def sam(data, batches, seed: int) -> dict[str, float]:
    """After SAM, in the loop by hand and in danlu: the running means with a radius of zero, and for each radius the validation loss."""
    judges = data.val.fetch(torch.arange(len(data.val)), 0)
    start, plain, found = Run(recipe(seed, RATE), data=data).model, by_danlu(data, seed), {}
    faster = copy.deepcopy(start)
    for norm in norms(faster):
        norm.momentum = 1 - (1 - 0.1) ** 2
    list(by_hand(faster, batches))
    for radius in RADII:
        naive, ours = copy.deepcopy(start), by_danlu(data, seed, SAM(rho=radius) if radius else TwoLooks())
        list(by_hand(naive, batches, radius))
        if radius == 0:
            found |= {"naive.moved": apart(naive, plain), "danlu.moved": apart(ours, plain), "faster.moved": apart(naive, faster)}
        gap = max(float((a - b).detach().abs().max()) for a, b in zip(naive.parameters(), ours.parameters()))
        found[f"{arm('weights', radius)}.gap"] = gap
        for name, model in (("naive", naive), ("danlu", ours)):
            found[f"{arm(name, radius)}.val_loss"] = loss_of(model, *judges)
    return found


def arm(name: str, radius: float) -> str:
    """How results call a radius: naive_rho_0_05."""
    return f"{name}_rho_{radius:g}".replace(".", "_")


# %% scale
def longer(model: nn.Module, times: float, eps: float = 1e-5) -> nn.Module:
    """The same function but for eps, in float64, with the two matrices before a norm `times` as long."""
    model = copy.deepcopy(model).double()
    for norm in norms(model):
        norm.eps = eps
    with torch.no_grad():
        for w in model.parameters():
            if w.dim() == 2 and len(w) == WIDTH:
                w *= times
    return model


def lengths(model: nn.Module, batches, hidden: float) -> tuple[list[float], list[float], list[float]]:
    """Squared length of the first matrix before each step and after the last; the same by Pythagoras; and the losses."""
    model = copy.deepcopy(model)
    w = model.layers[0].weight
    losses, squares = [], [float((w.detach() ** 2).sum())]
    predicted = squares[:]
    for loss in by_hand(model, batches, hidden=hidden):
        losses.append(loss)
        squares.append(float((w.detach() ** 2).sum()))
        predicted.append(predicted[-1] + hidden**2 * float((w.grad**2).sum()))
    return squares, predicted, losses


# %% measure
def measure(seeds):
    """Everything that the page shows."""
    data = MNIST(subset=True)()
    found: dict[str, dict[int, float]] = {}
    tables: dict = {"noise": [], "effective": {f"{rate:g}": [] for rate in HIDDEN_RATES}, "more": []}
    tables["groups"] = {"running": [], "live": []}

    def note(seed: int, **values: float) -> None:
        for key, value in values.items():
            found.setdefault(key.replace("__", "."), {})[seed] = value

    tuned = turned(data)
    first = lambda size: lambda seed, rate: trained(data, seed, rate, GhostNorm(size=size))[1]
    rates = {f"group_{size}": best_rate(first(size)) for size in GROUPS}
    starts = {seed: trained(data, seed, rates["group_64"], GhostNorm(size=64))[0] for seed in (*TUNING, *seeds)}
    plain = {seed: bare(model) for seed, model in starts.items()}
    arms = {"tuned_pairs": (GhostNorm(size=2),), "tuned_frozen": (FrozenNorm(),), "tuned_all": ()}
    tune = lambda name, seed, rate: trained(tuned, seed, rate, *arms[name], model=plain[seed], steps=TUNED_STEPS)[1]
    rates |= {name: best_rate(lambda seed, rate, name=name: tune(name, seed, rate)) for name in arms}

    for seed in seeds:
        order = Run(recipe(seed, RATE), data=data)
        stream = order.placement.stream(data.train, order.plan, 0, SHORT)
        batches = [(batch.inputs, batch.targets) for batch in stream]
        start, (x, y) = order.model, batches[0]
        rows = data.train.fetch(torch.arange(2000), 0)[0]
        before = start.layers[0](rows.flatten(1)).detach()
        note(seed, norm__library_gap=library_gap(before[:BATCH]))
        noises = [noise(before, size, seed) for size in SIZES]
        tables["noise"].append(noises)
        note(seed, **{f"among_{size}__noise": value for size, value in zip(SIZES, noises)})
        note(seed, **{f"formula_{size}__noise": predicted_noise(size) for size in SIZES})
        note(seed, **{f"{name}__gradient_gap": value for name, value in gaps(start, x, y).items()})
        note(seed, none__gradient_gap=0.0, none__moved=0.0)

        pair = normalised(before[:2], torch.ones(WIDTH), torch.zeros(WIDTH), (torch.zeros(WIDTH), torch.ones(WIDTH)), True)
        note(seed, pair__beside_one=float((pair.abs() - 1).abs().mean()))

        ends = {size: trained(data, seed, rates[f"group_{size}"], GhostNorm(size=size), live=True)[1] for size in GROUPS}
        for size, end in ends.items():
            note(seed, **{f"group_{size}__{name}": end[name] for name in ("val_loss", "val_accuracy")})
            note(seed, **{f"group_{size}_live__val_loss": end["live_loss"]})
        for name, key in (("running", "val_loss"), ("live", "live_loss")):
            tables["groups"][name].append([end[key] for end in ends.values()])
        note(seed, **{f"{name}__val_accuracy": tune(name, seed, rates[name])["val_accuracy"] for name in arms})

        statistics = sam(data, batches, seed)
        note(seed, **{key.replace(".", "__"): value for key, value in statistics.items()})
        losses = [[statistics[f"{arm(name, radius)}.val_loss"] for radius in RADII] for name in ("naive", "danlu")]
        tables["more"].append([by_hand_loss - ours for by_hand_loss, ours in zip(*losses)])

        wide = [(x.double(), y) for x, y in batches]
        for rate in HIDDEN_RATES:
            squares, predicted, losses = lengths(longer(start, 1.0), wide, rate)
            tables["effective"][f"{rate:g}"].append([rate / square for square in squares])
            effective = rate / squares[-1]
            own = {"effective": effective, "log_effective": math.log10(effective), "loss": losses[-1]}
            note(seed, **{f"rate_{rate:g}__{name}": value for name, value in own.items()})
            if rate == 10:
                note(seed, measured__growth=math.log(squares[-1] / squares[0]), pythagoras__growth=math.log(predicted[-1] / squares[0]))
                note(seed, start__squared_length=squares[0], unscaled__loss=losses[-1])
        note(seed, scaled__loss=lengths(longer(start, LONGER), wide, 10 * LONGER**2)[2][-1])
        pair = [lengths(longer(start, times, SMALL), wide, 10 * times**2)[2] for times in (1.0, LONGER)]
        note(seed, small_eps__loss_gap=max(abs(a - b) for a, b in zip(*pair)))
    values = {key: measured(by_seed) for key, by_seed in found.items()}
    values |= {f"{name}.rate": measured(rate) for name, rate in rates.items()}
    return values, tables


def bare(model: nn.Module) -> nn.Module:
    """The network with torch's own BatchNorm in place of groups; parameters and statistics are the same."""
    plain = MLP(hidden=(WIDTH, WIDTH), norm="batch", in_features=784, out_features=10)()
    plain.load_state_dict(model.state_dict())
    return plain


# %% pictures
def pictures(results, folder) -> None:
    """The figures, in both languages."""
    found = results.tables
    axes = Axes(
        Sentence("What the companions put into a row's value", "同批的其他行给某一行带来的噪声"),
        Sentence("rows that are normalised together", "一起归一化的行数"),
        Sentence("noise, in deviations", "噪声（以标准差计）"),
        log_x=True,
        log_y=True,
    )
    theory = Theory(Sentence("formula", "公式"), SIZES, [predicted_noise(size) for size in SIZES])
    draw(folder / "noise", axes, [Curve(Sentence("measured", "实测"), SIZES, found["noise"]), theory])

    axes = Axes(
        Sentence("Trained and validated with statistics of few rows", "用少数几行的统计量训练与验证"),
        Sentence("rows of a group, as a power of two", "每组行数（以 2 的幂次计）"),
        Sentence("validation loss", "验证损失"),
    )
    powers = [math.log2(size) for size in GROUPS]
    names = {"running": Sentence("running statistics", "滑动统计量"), "live": Sentence("statistics of the group", "本组的统计量")}
    draw(folder / "groups", axes, [Curve(names[name], powers, found["groups"][name]) for name in names])

    axes = Axes(
        Sentence("What statistics that move twice cost", "统计量动两次的代价"),
        Sentence("radius of SAM", "SAM 的半径"),
        Sentence("more validation loss than in danlu", "比 danlu 多出的验证损失"),
    )
    draw(folder / "twice", axes, [Curve(Sentence("loop by hand", "手写循环"), RADII, found["more"])])

    axes = Axes(
        Sentence("The rate that the network chooses for itself", "网络自己选的学习率"),
        Sentence("step", "步数"),
        Sentence("rate / squared length of the weights", "学习率 / 权重长度的平方"),
        log_y=True,
    )
    curves = [Curve(Sentence(f"rate {rate}", f"学习率 {rate}"), range(SHORT + 1), rows) for rate, rows in found["effective"].items()]
    draw(folder / "effective", axes, curves)


# %% look
if __name__ == "__main__":
    results_, _ = measure(range(2))
    for key, value in results_.items():
        print(f"{key:28} {value.mean if value.mean is not None else value.values[0]:.4g}")
