"""Dropout and stochastic depth: what noise do they add, what is it good for, and when does it start to pay?"""

# %% setup
import math
from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, cross_entropy

from danlu.core import Recipe, Run
from danlu.data.images import image_data
from danlu.data.mnist import MNIST
from danlu.errors import Sentence
from danlu.keys import Keyed
from danlu.losses.classification import CrossEntropy
from danlu.nets.dropout import Dropout, DropPath, depth_rates, named
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD
from danlu.optim.schedules import Linear
from danlu.study.ensemble import Ensemble, ensemble, sweep
from danlu.study.figure import Axes, Curve, Theory, bars, draw
from danlu.study.results import measured
from danlu.techniques.objective.dropout_schedule import DropoutSchedule
from danlu.techniques.reports.validate import Validate

SIZES, LENGTHS, BATCH, WIDTH = (250, 1000, 4000), {"short": 100, "long": 500}, 50, 128
DROP, RATES = 0.5, (0.03, 0.1, 0.3)
SHARED_RATE, HALF = 0.1, 300  # learning rate and steps of everything that changes the rate of dropout
SOME = 1000  # images of everything that is not about the number of images
MASKS, TIMES, SHARES = 5000, 12, (0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9)
DEPTH, DEEP_WIDTH, DEEP_RATES, DEEP_STEPS, SKIPPED = 8, 32, (0.01, 0.03, 0.1), 200, 0.5
SHAPES = ("rise", "late")


# %% dropout
def dropped(x: Tensor, uniform: Tensor, p: float) -> Tensor:
    """Dropout from scratch: what draws below p is zero, and the rest is made larger so that the mean stays."""
    return torch.where(uniform < p, torch.zeros(()), x / (1 - p))


def library_gap(p: float) -> float:
    """Largest difference from danlu's Dropout when both see the same draws."""
    x, layer = torch.randn(64, 100, generator=torch.Generator().manual_seed(0)), named(nn.Sequential(Dropout(p))).train()
    Keyed.seed, Keyed.step, Keyed.ids = 0, 0, torch.arange(64)
    try:
        Keyed.calls = {}
        theirs = layer(x)
        Keyed.calls = {}
        return float((theirs - dropped(x, Keyed.draw("0", (100,), 64), p)).abs().max())
    finally:
        Keyed.ids = None


# %% noise
@cache
def pixels() -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Digits of 14 x 14 pixels, as bytes, with their classes: training ones and others."""
    data = MNIST(subset=True)()
    small = lambda rows: (avg_pool2d(rows.images.float(), 2).round().to(torch.uint8), rows.targets)
    return small(data.train), small(data.val)


def noise(p: float, seed: int) -> tuple[float, float]:
    """Standard deviation of a weighted sum of a digit's pixels over MASKS masks of danlu's Dropout; and by formula."""
    draws = torch.manual_seed(seed)
    x, w = pixels()[0][0][seed].flatten().float() / 255, torch.randn(196, generator=draws)
    found = torch.cat([Dropout(p).train()(x.expand(MASKS, -1)) @ w for _ in range(TIMES if p == DROP else 1)])
    return float(found.std()), math.sqrt(p / (1 - p) * float((w * x).square().sum()))


def ridge(p: float, seed: int) -> tuple[float, float]:
    """What dropout of the inputs adds to the loss of a linear regression, mean over 400 masks a row; and the penalty by formula."""
    draws = torch.manual_seed(seed)
    x = pixels()[0][0][:500].flatten(1).float() / 255
    w = torch.randn(196, generator=draws) / 14
    y = x @ w + 0.1 * torch.randn(500, generator=draws)
    plain, layer = float((x @ w - y).square().mean()), Dropout(p).train()
    with_masks = [float((layer(x) @ w - y).square().mean()) for _ in range(400)]
    return sum(with_masks) / len(with_masks) - plain, p / (1 - p) * float((x.square().mean(0) * w.square()).sum())


# %% train
@cache
def digits(images: int):
    """The first `images` digits to train on."""
    train, val = pixels()
    return image_data({"train": (train[0][:images], train[1][:images]), "val": val}, tuple("0123456789"), (0.0,), (255.0,), "none", 0)


def recipe(images: int, steps: int) -> Recipe:
    """The learning rate falls to zero in a straight line, so every length is a training of its own."""
    return Recipe(
        model=MLP(hidden=(WIDTH,)),
        data=digits(images),
        loss=CrossEntropy(),
        optimizer=SGD(lr=0.1, momentum=0.9),
        schedule=Linear(),
        steps=steps,
        batch_size=BATCH,
        validate=Validate(every=steps),
    )


def grid(images: int, steps: int, seeds, rates=RATES) -> Ensemble:
    """Without and with dropout, at every learning rate."""
    return ensemble(sweep(recipe(images, steps), seeds=seeds, **{"model.dropout": [0.0, DROP], "optimizer.lr": rates}))


def best(found: Ensemble, rates, metric: str) -> dict[int, float]:
    """A metric, each seed at the learning rate with the lowest loss on all *other* seeds: nobody is judged on what chose."""
    ended = {rate: found.where(**{"optimizer.lr": rate}) for rate in rates}
    loss, shown = ({rate: part.last(name) for rate, part in ended.items()} for name in ("val_loss", metric))
    others = lambda rate, seed: sum(value for other, value in loss[rate].items() if other != seed)
    return {seed: shown[min((others(rate, seed), rate) for rate in rates)[1]][seed] for seed in loss[rates[0]]}


# %% scale
def used(weights: dict[str, Tensor], factor: float) -> tuple[float, float]:
    """Loss and accuracy of a trained network on other images, its hidden units multiplied by a factor."""
    (first, second), (b1, b2) = ([weights[name] for name in weights if name.endswith(end)] for end in ("weight", "bias"))
    x, y = digits(SOME).val.fetch(torch.arange(1000), 0)
    logits = (x.flatten(1) @ first.T + b1).relu() * factor @ second.T + b2
    return float(cross_entropy(logits, y)), float((logits.argmax(1) == y).double().mean())


# %% schedules
def scheduled(shape: str, seed: int) -> float:
    """The final loss with a rate of dropout that changes in training."""
    base = recipe(SOME, HALF)
    changing = DropoutSchedule(shape=shape, share=0.5)
    model, optimizer = replace(base.model, dropout=DROP), replace(base.optimizer, lr=SHARED_RATE)
    with Run(replace(base, model=model, optimizer=optimizer, techniques=(changing,), seed=seed)) as run:
        *_, report = run
        return float(report.metrics["val_loss"])


# %% depth
class Tower(nn.Module):
    """Residual blocks of a norm and two layers; DropPath leaves a block out for some samples, which then go on unchanged."""

    def __init__(self, width: int, depth: int, drop_path: float):
        super().__init__()
        block = lambda p: nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), DropPath(p))
        self.first, self.last = nn.Linear(196, width), nn.Linear(width, 10)
        self.blocks = nn.ModuleList(block(p) for p in depth_rates(drop_path, depth))
        for made in self.blocks:
            nn.init.zeros_(made[3].weight)  # every block begins as its shortcut

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x.flatten(1))
        for block in self.blocks:
            x = x + block(x)
        return self.last(x)


@dataclass(frozen=True)
class ResidualMLP:
    drop_path: float = 0.0

    def __call__(self, facts=None) -> nn.Module:
        return named(Tower(DEEP_WIDTH, DEPTH, self.drop_path))


def deep(seeds, drop_path: float) -> Ensemble:
    base = replace(recipe(SOME, DEEP_STEPS), model=ResidualMLP(drop_path))
    return ensemble(sweep(base, seeds=seeds, **{"optimizer.lr": DEEP_RATES}))


# %% measure
def measure(seeds):
    """Noise, gains, the forgotten scale, schedules and depth."""
    values, tables = {}, {}
    values["dropout.library_gap"] = measured(max(library_gap(p) for p in (0.1, 0.5, 0.9)))
    heard = {seed: {p: noise(p, seed) for p in SHARES} for seed in seeds}
    tables["noise"] = [[by_rate[p][0] / by_rate[DROP][1] for p in SHARES] for by_rate in heard.values()]
    values["high.noise"] = measured({seed: by_rate[SHARES[-1]][0] / by_rate[DROP][1] for seed, by_rate in heard.items()})
    values["masks.noise"] = measured({seed: by_rate[DROP][0] / by_rate[DROP][1] for seed, by_rate in heard.items()})
    found = {seed: ridge(DROP, seed) for seed in seeds}
    values["masks.penalty"] = measured({seed: masks / formula for seed, (masks, formula) in found.items()})
    values["formula.noise"] = values["formula.penalty"] = measured(dict.fromkeys(seeds, 1.0))

    for length, steps in LENGTHS.items():
        for images in SIZES:
            both = grid(images, steps, seeds)
            for name, p in (("plain", 0.0), ("dropout", DROP)):
                found = both.where(**{"model.dropout": p})
                for metric in ("loss", "accuracy"):
                    values[f"{name}_{images}.{length}_{metric}"] = measured(best(found, RATES, f"val_{metric}"))
        pairs = [[values[f"{name}_{images}.{length}_loss"].values for name in ("dropout", "plain")] for images in SIZES]
        tables[length] = [[with_it[place] - without[place] for with_it, without in pairs] for place in range(len(seeds))]

    shared = grid(SOME, HALF, seeds, [SHARED_RATE])
    for name, p in (("none", 0.0), ("constant", DROP)):
        values[f"{name}.half_loss"] = measured(shared.where(**{"model.dropout": p}).last("val_loss"))
    values |= {f"{shape}.half_loss": measured({seed: scheduled(shape, seed) for seed in seeds}) for shape in SHAPES}
    weights = {member.recipe.seed: member.weights for member in shared.where(**{"model.dropout": DROP}).members}
    values["too_large.factor"] = measured(1 / (1 - DROP))
    for name, factor in (("scaled", 1.0), ("unscaled", 1 / (1 - DROP))):
        looked = {seed: used(of, factor) for seed, of in weights.items()}
        values[f"{name}.loss"] = measured({seed: loss for seed, (loss, _) in looked.items()})
        values[f"{name}.accuracy"] = measured({seed: accuracy for seed, (_, accuracy) in looked.items()})

    for name, drop_path in (("full", 0.0), ("stochastic", SKIPPED)):
        found = deep(seeds, drop_path)
        for metric in ("loss", "accuracy"):
            values[f"{name}.deep_{metric}"] = measured(best(found, DEEP_RATES, f"val_{metric}"))
        tables[name] = [list(row) for row in zip(*(found.where(**{"optimizer.lr": rate}).last("val_loss").values() for rate in DEEP_RATES))]
    values["stochastic.blocks"] = measured(sum(1 - p for p in depth_rates(SKIPPED, DEPTH)))
    return values, tables


# %% pictures
NAMES = {
    "none": Sentence("none", "不用"),
    "constant": Sentence("throughout", "全程"),
    "rise": Sentence("rising", "渐升"),
    "late": Sentence("second half", "后半程"),
}


def pictures(results, folder) -> None:
    """The figures, in both languages, out of what was measured."""
    found = results.tables
    axes = Axes(
        Sentence("The noise that dropout adds", "dropout 加上的噪声"),
        Sentence("rate", "丢弃率"),
        Sentence("deviation, over that at 0.5", "标准差，与 0.5 时之比"),
    )
    grid = [place / 100 for place in range(2, 92)]
    formula = Theory(Sentence("root of p / (1 - p)", "p/(1 − p) 的平方根"), grid, [math.sqrt(p / (1 - p)) for p in grid])
    draw(folder / "noise", axes, [Curve(Sentence("measured", "实测"), SHARES, found["noise"]), formula])

    axes = Axes(
        Sentence("What dropout adds to the loss", "dropout 让损失多出多少"),
        Sentence("how often each image is seen", "每张图像被看到的次数"),
        Sentence("loss with it, less loss without", "用它的损失减去不用的损失"),
        log_x=True,
    )
    told = {length: Sentence(f"{steps} steps", f"{steps} 步") for length, steps in LENGTHS.items()}
    seen = {length: [steps * BATCH / images for images in SIZES] for length, steps in LENGTHS.items()}
    gains = [Curve(told[length], seen[length], found[length]) for length in LENGTHS]
    draw(folder / "pays", axes, [*gains, Theory(Sentence("no difference", "没有差别"), [1, 100], [0, 0])])

    axes = Axes(
        Sentence("Dropout that changes in training", "训练中变化的 dropout"), Sentence("", ""), Sentence("validation loss", "验证损失")
    )
    bars(folder / "schedules", axes, [(NAMES[name], results.value(f"{name}.half_loss").values) for name in NAMES])

    rate, loss = Sentence("learning rate", "学习率"), Sentence("validation loss", "验证损失")
    axes = Axes(Sentence("Eight residual blocks", "八个残差块"), rate, loss, log_x=True)
    towers = [
        Curve(Sentence("all blocks", "所有块都走"), DEEP_RATES, found["full"]),
        Curve(Sentence("stochastic depth", "随机深度"), DEEP_RATES, found["stochastic"]),
    ]
    draw(folder / "depth", axes, towers)


# %% look
if __name__ == "__main__":
    for key, value in measure(range(2))[0].items():
        print(f"{key:28} {value.mean:.4g}")
