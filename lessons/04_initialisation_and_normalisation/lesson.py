"""Initialisation and normalisation: why a deep network may not learn at all, and what each of the two repairs."""

# %% setup
import copy
import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from danlu.core import Recipe, Run
from danlu.data.mnist import MNIST
from danlu.errors import Sentence
from danlu.losses.classification import CrossEntropy
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD
from danlu.study.ensemble import ensemble, sweep
from danlu.study.figure import Axes, Curve, Theory, bars, draw
from danlu.study.results import measured

DEPTH, WIDTH = 20, 32
STEPS, BATCH = 150, 64
RATES, MOMENTUM = (0.001, 0.003, 0.01, 0.03), 0.9
LOWER = (0.00001, 0.0001)  # tried as well where the ordinary rates fail
TUNING = (1001, 1002)  # seeds that choose the rate; no figure comes from them
ROWS = 512  # rows on which signals are measured
NETS = 200  # random networks for the scatter between networks
SMALL = 0.01


# %% starts
STARTS = {
    "small": lambda w: nn.init.normal_(w, std=SMALL),
    "fan_in": lambda w: nn.init.normal_(w, std=w.shape[1] ** -0.5),
    "he": lambda w: nn.init.normal_(w, std=(2 / w.shape[1]) ** 0.5),
    "orthogonal": lambda w: nn.init.orthogonal_(w, gain=2**0.5),
}


@dataclass(frozen=True)
class Deep:
    """danlu's MLP, DEPTH layers deep, with the hidden layers drawn as STARTS says."""

    start: str
    norm: str = "none"

    def __call__(self, facts) -> nn.Module:
        net = MLP(hidden=(WIDTH,) * DEPTH, norm=self.norm)(facts)
        for layer in list(net.modules())[:-1]:  # the output layer stays as it is
            if isinstance(layer, nn.Linear):
                STARTS[self.start](layer.weight)
        return net


ARMS = {
    **{start: Deep(start) for start in STARTS},
    "layer_small": Deep("small", "layer"),
    "layer_he": Deep("he", "layer"),
    "batch_he": Deep("he", "batch"),
}


def recipe(model: Deep) -> Recipe:
    return Recipe(
        model=model,
        data=MNIST(subset=True),
        loss=CrossEntropy(),
        optimizer=SGD(lr=RATES[0], momentum=MOMENTUM),
        steps=STEPS,
        batch_size=BATCH,
    )


# %% signals
def strength(x: torch.Tensor) -> float:
    """Root of the mean square."""
    return float(x.detach().double().pow(2).mean().sqrt())


def signals(run: Run) -> tuple[list[float], list[float]]:
    """How strong the signal is behind each layer going forward, and how strong the gradient is there coming back."""
    inputs, labels = run.data.train.fetch(torch.arange(ROWS), 0)
    seen: list[torch.Tensor] = []

    def keep(layer: nn.Module, given: tuple[torch.Tensor, ...], out: torch.Tensor) -> None:
        out.retain_grad()
        seen.append(out)

    layers = [layer for layer in run.model.modules() if isinstance(layer, nn.Linear)][:-1]
    hooks = [layer.register_forward_hook(keep) for layer in layers]
    cross_entropy(run.model(inputs), labels).backward()
    for hook in hooks:
        hook.remove()
    return [strength(out) for out in seen], [strength(out.grad) for out in seen]


# %% scratch
def through(x: torch.Tensor, weights: list[torch.Tensor]) -> list[float]:
    """The forward pass written out: what `signals` must find without a norm."""
    found = []
    for weight in weights:
        x = x @ weight.T
        found.append(strength(x))
        x = x.clamp(min=0)
    return found


def ends(width: int, gain: float, seed: int) -> torch.Tensor:
    """What NETS random networks, each weight of variance gain / width, make of one input of strength one: strengths [NETS]."""
    draw_ = torch.Generator().manual_seed(seed)
    x = torch.ones(NETS, 1, width)
    for _ in range(DEPTH):
        x = (x @ (torch.randn(NETS, width, width, generator=draw_) * math.sqrt(gain / width))).clamp(min=0)
    return x.double().pow(2).mean((1, 2)).sqrt()


# %% theory
def factor(variance_times_width: float) -> float:
    """What a layer multiplies the strength by: a row of weights sums WIDTH squares, of which the ReLU has let half through."""
    return math.sqrt(variance_times_width / 2)


FACTORS = {"small": factor(SMALL**2 * WIDTH), "fan_in": factor(1), "he": factor(2)}
BATCH_FACTOR = math.sqrt(math.pi / (math.pi - 1))  # of the gradient, through BatchNorm and ReLU (Yang et al. 2019)


def per_layer(first: float, last: float) -> float:
    return (last / first) ** (1 / (DEPTH - 1))


# %% tuned
def trained(seeds, rates: dict[str, tuple[float, ...]]) -> dict[str, dict[float, dict[int, float]]]:
    """Accuracy of every arm at each of its rates, {arm: {rate: {seed: accuracy}}}; alike networks are one program."""
    recipes = [each for name in rates for each in sweep(recipe(ARMS[name]), seeds=seeds, **{"optimizer.lr": rates[name]})]
    found = ensemble(recipes)
    at = lambda name, rate: found.where(model=ARMS[name], **{"optimizer.lr": rate}).last("val_accuracy")
    return {name: {rate: at(name, rate) for rate in rates[name]} for name in rates}


def tuned() -> dict[str, float]:
    """The rate of each arm with the highest mean accuracy on the tuning seeds."""
    rates = dict.fromkeys(ARMS, RATES) | {"small": RATES[-1:], "layer_small": RATES + LOWER}  # no rate helps where no gradient arrives
    return {name: max(found, key=lambda rate: sum(found[rate].values())) for name, found in trained(TUNING, rates).items()}


# %% rescaled
EARLY = {"early_he": ("layer_he", False), "early_small": ("layer_small", False), "early_rescaled": ("layer_small", True)}
EARLY_STEPS, EARLY_RATE = 30, 0.003


def early_losses(run: Run, rescaled: bool) -> list[float]:
    """SGD by hand from the start of the run. `rescaled`: a layer that starts c times He's gets c squared times the rate."""
    model, groups = copy.deepcopy(run.model), []
    for module in model.modules():
        if own := list(module.parameters(recurse=False)):
            hidden = isinstance(module, nn.Linear) and module.out_features == WIDTH
            c = SMALL / math.sqrt(2 / module.in_features) if hidden and rescaled else 1.0
            groups.append({"params": own, "lr": EARLY_RATE * c**2})
    optimizer = torch.optim.SGD(groups, momentum=MOMENTUM)
    draw_ = torch.Generator().manual_seed(run.seed)
    losses = []
    for _ in range(EARLY_STEPS):
        inputs, labels = run.data.train.fetch(torch.randint(len(run.data.train), (BATCH,), generator=draw_), 0)
        optimizer.zero_grad()
        loss = cross_entropy(model(inputs), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% measure
def measure(seeds):
    """Signals of the untrained networks, and accuracies of the trained ones."""
    runs = {name: {seed: Run(Recipe(**{**vars(recipe(model)), "seed": seed})) for seed in seeds} for name, model in ARMS.items()}
    there = {name: {seed: signals(run) for seed, run in found.items()} for name, found in runs.items()}
    values = {}
    for name in ARMS:
        forward, back = ({seed: found[side] for seed, found in there[name].items()} for side in (0, 1))
        values[f"{name}.growth"] = measured({s: per_layer(found[0], found[-1]) for s, found in forward.items()})
        values[f"{name}.last_strength"] = measured({s: found[-1] for s, found in forward.items()})
        values[f"{name}.back_growth"] = measured({s: per_layer(found[-1], found[0]) for s, found in back.items()})

    gaps = {}
    for seed, run in runs["he"].items():
        weights = [layer.weight.detach() for layer in run.model.modules() if isinstance(layer, nn.Linear)][:-1]
        found = through(run.data.train.fetch(torch.arange(ROWS), 0)[0].flatten(1), weights)
        gaps[seed] = max(abs(a / b - 1) for a, b in zip(found, there["he"][seed][0]))
    values["scratch.gap"] = measured(gaps)
    for width in (WIDTH, 2 * WIDTH):
        values[f"width_{width}.scatter"] = measured({seed: float(ends(width, 2.0, seed).log().std()) for seed in seeds})
        values[f"formula_{width}.scatter"] = measured(math.sqrt(5 * DEPTH / width) / 2)
    for name, gain in (("fan_in", 1.0), ("he", 2.0)):
        squares = {seed: float(ends(WIDTH, gain, seed).pow(2).mean()) * 2 for seed in seeds}  # before the last ReLU
        values[f"{name}.mean_growth"] = measured({seed: (square / gain) ** (0.5 / (DEPTH - 1)) for seed, square in squares.items()})

    keeps = {seed: (ends(WIDTH, 2.0, seed) * math.sqrt(2) - 1).abs() < 0.2 for seed in seeds}
    values["he.kept_share"] = measured({seed: float(kept.float().mean()) for seed, kept in keeps.items()})
    values["half.kept_share"] = measured(dict.fromkeys(seeds, 0.5))

    best = tuned()
    chosen = {name: (rate,) for name, rate in best.items()}
    if best["layer_he"] != best["layer_small"]:
        chosen["layer_small"] += (best["layer_he"],)
    found = trained(seeds, chosen)
    for name, rate in best.items():
        values[f"{name}.val_accuracy"], values[f"{name}.best_rate"] = measured(found[name][rate]), measured(rate)
    values["layer_small_same.val_accuracy"] = measured(found["layer_small"][best["layer_he"]])

    by_hand = {name: {seed: early_losses(runs[like][seed], rescaled) for seed in seeds} for name, (like, rescaled) in EARLY.items()}
    for name, losses in by_hand.items():
        values[f"{name}.first_loss"] = measured({seed: found[0] for seed, found in losses.items()})
        values[f"{name}.late_loss"] = measured({seed: sum(found[-5:]) / 5 for seed, found in losses.items()})
    values["hidden.stretch"] = measured(2 / WIDTH / SMALL**2)
    values |= {
        "guess.val_accuracy": measured(dict.fromkeys(seeds, 0.1)),
        "formula.mean_growth": measured(dict.fromkeys(seeds, FACTORS["fan_in"])),
        "batch_formula.back_growth": measured(dict.fromkeys(seeds, BATCH_FACTOR)),
    }
    tables = {
        "forward": {name: [there[name][seed][0] for seed in seeds] for name in ARMS},
        "early": {name: list(losses.values()) for name, losses in by_hand.items()},
        "back": {name: [there[name][seed][1] for seed in seeds] for name in ARMS},
    }
    return values, tables


# %% pictures
STRENGTH = Sentence("strength (rms), as a power of ten", "强度（均方根），以十的幂次计")
NAMES = {
    "small": Sentence("0.01", "0.01"),
    "fan_in": Sentence("1 / fan-in", "1/fan_in"),
    "he": Sentence("He", "He"),
    "orthogonal": Sentence("orthogonal", "正交"),
    "layer_small": Sentence("LN, 0.01", "LN，0.01"),
    "layer_he": Sentence("LN, He", "LN，He"),
    "layer_small_same": Sentence("LN, 0.01*", "LN，0.01*"),
    "batch_he": Sentence("BN, He", "BN，He"),
}


def pictures(results, folder) -> None:
    """The figures, in both languages."""
    layers, found = list(range(1, DEPTH + 1)), results.tables
    power = lambda rows: [[math.log10(value) for value in row] for row in rows]
    layer = Sentence("layer", "层")
    lines = [Curve(NAMES[start], layers, power(found["forward"][start])) for start in STARTS]
    for start, by in FACTORS.items():
        first = sum(row[0] for row in found["forward"][start]) / len(found["forward"][start])
        label = Sentence(f"{NAMES[start].en}, formula", f"{NAMES[start].zh}，公式")
        lines.append(Theory(label, layers, [math.log10(first * by**place) for place in range(DEPTH)]))
    draw(
        folder / "forward",
        Axes(Sentence("The signal going forward", "前向的信号"), layer, STRENGTH),
        lines,
    )
    last = sum(row[-1] for row in found["back"]["batch_he"]) / len(found["back"]["batch_he"])
    draw(
        folder / "back",
        Axes(Sentence("The gradient coming back", "反向的梯度"), layer, STRENGTH),
        [
            *[Curve(NAMES[name], layers, power(found["back"][name])) for name in ("fan_in", "he", "orthogonal", "layer_he", "batch_he")],
            Theory(
                Sentence("BatchNorm, formula", "BatchNorm，公式"),
                layers,
                [math.log10(last * BATCH_FACTOR ** (DEPTH - place)) for place in layers],
            ),
        ],
    )
    draw(
        folder / "early",
        Axes(
            Sentence("LayerNorm on two starts", "两种起点加 LayerNorm"),
            Sentence("step", "步数"),
            Sentence("training loss", "训练损失"),
        ),
        [
            Curve(Sentence("He", "He"), range(1, EARLY_STEPS + 1), found["early"]["early_he"]),
            Curve(Sentence("0.01, same rate", "0.01，同样的学习率"), range(1, EARLY_STEPS + 1), found["early"]["early_small"]),
            Curve(Sentence("0.01, rate times c²", "0.01，学习率乘以 c²"), range(1, EARLY_STEPS + 1), found["early"]["early_rescaled"]),
            Theory(Sentence("a blind guess", "瞎猜"), [1, EARLY_STEPS], [math.log(10)] * 2),
        ],
    )
    bars(
        folder / "accuracy",
        Axes(
            Sentence("Twenty layers, each at the best of its rates", "二十层网络，各取最好的学习率"),
            Sentence(" ", " "),
            Sentence("validation accuracy", "验证准确率"),
        ),
        [(NAMES[name], results.value(f"{name}.val_accuracy").values) for name in NAMES],
    )


# %% look
if __name__ == "__main__":
    results_, _ = measure(range(2))
    for key, value in results_.items():
        print(f"{key:28} {value.mean if value.mean is not None else value.values[0]:.4g}")
