"""Gradient clipping: what it protects from, what it costs, and why the place where it is done makes it another algorithm."""

# %% setup
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, partial

import torch
from torch import Tensor

from danlu.core import Recipe, Run, Technique
from danlu.data.mnist import MNIST
from danlu.errors import Sentence
from danlu.losses.classification import CrossEntropy
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD, Adam
from danlu.study.figure import Axes, Curve, Theory, draw
from danlu.study.results import measured
from danlu.study.stack import first_step
from danlu.techniques.gradient.agc import AGC
from danlu.techniques.gradient.clip import Clip
from danlu.techniques.gradient.clip_value import ClipValue

STEPS, BATCH, WIDTH, MOMENTUM = 100, 64, 64, 0.9
SPOILT, FACTOR = (25, 50, 75), 100.0  # the steps whose inputs come FACTOR times too large
RATES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)
LIMITS = {"norm": (0.1, 1.0, 10.0), "value": (0.001, 0.01, 0.1), "agc": (0.01, 0.1, 1.0)}
LOOSE = 5.0  # a limit on the norm that few sound steps reach
TUNING = (1001, 1002, 1003)  # seeds that choose rate and limit, and nothing else
LIMIT, SCALE, SGD_RATE, ADAM_RATE, REPEATS = 1.0, 1024.0, 0.1, 0.003, 3  # of the mistake with the loss scale
TURNED_AFTER, LEFT, SHARES = 25, 0.1, (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)  # of the look at angles
ROWS, WALKERS, WALK, HELD, BOUNDS = 16, 200, 600, 0.5, (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # of the walk to the resting place


# %% clip
def by_norm(grads: list[Tensor], limit: float) -> list[Tensor]:
    """All of them shorter by one factor, so that together they are no longer than the limit."""
    length = math.sqrt(sum(float((g * g).sum()) for g in grads))
    return [g * min(1.0, limit / max(length, 1e-30)) for g in grads]


def by_value(grads: list[Tensor], limit: float) -> list[Tensor]:
    """Every number for itself."""
    return [g.clamp(-limit, limit) for g in grads]


def by_unit(grads: list[Tensor], weights: list[Tensor], limit: float) -> list[Tensor]:
    """Every unit (the row of a matrix, a bias as a whole) by how long its own weights are: AGC."""
    clipped = []
    for g, w in zip(grads, weights):
        length = lambda x: x.norm(dim=1, keepdim=True) if x.ndim > 1 else x.norm()
        clipped.append(g * (limit * length(w).clamp(min=1e-3) / length(g)).clamp(max=1.0))
    return clipped


WAYS = {
    "norm": (by_norm, lambda limit: Clip(max_norm=limit)),
    "value": (by_value, lambda limit: ClipValue(limit=limit)),
    "agc": (by_unit, lambda limit: AGC(limit=limit, output=True)),
}


def library_gap(way: str, limit: float) -> float:
    """Largest difference between our clipped gradient and danlu's, over the length of it."""
    by_hand, technique = WAYS[way]
    plain, clipping = gradient(recipe(), 0), gradient(recipe(technique(limit)), 0)
    ours = by_hand(plain[0], *([plain[1]] if way == "agc" else []), limit)
    return max(float((a - b).abs().max()) for a, b in zip(ours, clipping[0])) / float(torch.cat([g.flatten() for g in ours]).norm())


def gradient(of: Recipe, after: int) -> tuple[list[Tensor], list[Tensor]]:
    """The gradient of one batch as an optimiser would get it, after some steps; and the weights."""
    with Run(of) as run:
        reports = iter(run)
        for _ in range(after):
            next(reports)
        run.gradient(run.objective, first_step(run))
        return [p.grad.clone() for p in run.trainable()], [p.detach().clone() for p in run.trainable()]


# %% spoil
@dataclass
class Spoil(Technique):
    """In the given steps the inputs come `factor` times too large, as from a loader that forgot to divide."""

    steps: tuple[int, ...] = SPOILT
    factor: float = FACTOR

    def wrap_stream(self, stream, run) -> Iterator:
        for batch in stream:
            yield replace(batch, inputs=batch.inputs * self.factor) if batch.step in self.steps else batch


@dataclass
class Lengths(Technique):
    """Notes how long the gradient is that it sees."""

    def wrap_gradient(self, gradient, run):
        self.noted = []

        def watched(objective, batches):
            outcome = gradient(objective, batches)
            self.noted.append(float(run.placement.norm([p.grad for p in run.trainable()])))
            return outcome

        return watched


def recipe(*techniques: Technique, rate: float = 0.1, seed: int = 0) -> Recipe:
    return Recipe(
        model=MLP(hidden=(WIDTH,)),
        data=digits(),
        loss=CrossEntropy(),
        optimizer=SGD(lr=rate, momentum=MOMENTUM),
        techniques=techniques,
        steps=STEPS,
        batch_size=BATCH,
        seed=seed,
    )


@cache
def digits():
    return MNIST(subset=True)()


def trained(of: Recipe) -> tuple[float, float, list[float]]:
    """Validation loss and accuracy at the end, and the training loss of every step."""
    with Run(of) as run:
        losses = []
        for report in run:
            losses.append(report.loss.item())
        return float(report.metrics["val_loss"]), float(report.metrics["val_accuracy"]), losses


def lengths(of: Recipe) -> tuple[list[float], list[float]]:
    """The lengths of the gradients of all sound steps, and of the spoilt ones, in a recipe with `Lengths` in it."""
    with Run(of) as run:
        for _ in run:
            pass
        noted = next(t for t in run.techniques if isinstance(t, Lengths)).noted
    return [length for step, length in enumerate(noted) if step not in SPOILT], [noted[step] for step in SPOILT]


# %% tuned
def tuned() -> tuple[dict[str, tuple[float, float | None]], dict[str, list[list[float]]]]:
    """For each way the rate and limit that end lowest on the tuning seeds, and the losses by rate at each rate's best limit.

    "clean" is not clipped and not spoilt.
    """
    chosen, grid = {}, {}
    for way in ("clean", "none", *WAYS):
        ended, spoil = {}, () if way == "clean" else (Spoil(),)
        for rate in RATES:
            for limit in LIMITS.get(way, (None,)):
                clip = () if limit is None else (WAYS[way][1](limit),)
                ended[rate, limit] = [finite(trained(recipe(*clip, *spoil, rate=rate, seed=seed))[0]) for seed in TUNING]
        total = {key: sum(losses) for key, losses in ended.items()}
        chosen[way] = min(total, key=total.__getitem__)
        best = [min((key for key in total if key[0] == rate), key=total.__getitem__) for rate in RATES]
        grid[way] = [[ended[key][place] for key in best] for place in range(len(TUNING))]
    return chosen, grid


def finite(loss: float) -> float:
    """A loss that is not finite as a large number, so that it can be compared."""
    return min(loss, 1000.0) if math.isfinite(loss) else 1000.0


# %% angle
def turned(before: list[Tensor], after: list[Tensor]) -> tuple[float, float]:
    """The share of its length that a gradient has kept, and the angle in degrees by which it was turned."""
    a, b = (torch.cat([g.flatten().double() for g in grads]) for grads in (before, after))
    cosine = float(a @ b / (a.norm() * b.norm()))
    return float(b.norm() / a.norm()), math.degrees(math.acos(min(1.0, cosine)))


def at_share(clip, before: list[Tensor], share: float) -> float:
    """The angle at the limit that leaves this share of the length, found by halving."""
    low, high = -12.0, 8.0  # powers of e
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (middle, high) if turned(before, clip(math.exp(middle)))[0] < share else (low, middle)
    return turned(before, clip(math.exp(high)))[1]


def normal_turn(limit: float) -> tuple[float, float]:
    """Share and angle when the numbers of the gradient are normal: E[g clip(g)] is the probability of lying within the limit."""
    within, bell = math.erf(limit / math.sqrt(2)), math.exp(-(limit**2) / 2) / math.sqrt(2 * math.pi)
    square = within - 2 * limit * bell + limit**2 * (1 - within)
    return math.sqrt(square), math.degrees(math.acos(within / math.sqrt(square)))


# %% rest
def rests(limit: float, each_row: bool, seed: int) -> float:
    """Where WALKERS come to rest that descend the mean of (w - y)^2 / 2 over ROWS fresh exponential numbers y, clipped."""
    draws, w, found = torch.Generator().manual_seed(seed), torch.ones(WALKERS), []
    rate = 0.02 / min(limit, 1.0)
    for step in range(WALK):
        pull = w[:, None] - torch.empty(WALKERS, ROWS).exponential_(generator=draws)
        pull = pull.clamp(-limit, limit).mean(1) if each_row else pull.mean(1).clamp(-limit, limit)
        w = w - rate * pull
        if step >= WALK // 2:
            found.append(w.mean())
    return float(torch.stack(found).mean())


def resting_place(limit: float, rows: int) -> float:
    """Where the clipped pull of the mean of so many rows is zero on average: P(mean < t), summed from w - limit to w + limit, is limit."""
    grid = torch.linspace(0, 1, 1001, dtype=torch.float64)
    low, high = 0.0, 2.0
    for _ in range(30):
        w = (low + high) / 2
        at = (w - limit + 2 * limit * grid).clamp(min=0)
        below = torch.special.gammainc(torch.tensor(float(rows), dtype=torch.float64), rows * at)
        low, high = (low, w) if float(torch.trapezoid(below, grid)) * 2 * limit > limit else (w, high)
    return low


# %% parts
def off(seed: int) -> tuple[float, float]:
    """How far from the clean gradient a step points if one micro-batch is spoilt: clipped as a whole, and each part for itself."""
    with Run(replace(recipe(seed=seed), micro_batch_size=BATCH // 4)) as run:
        reports = iter(run)
        for _ in range(TURNED_AFTER):
            next(reports)
        batches = first_step(run)

        def of(*chosen) -> list[Tensor]:
            run.gradient(run.objective, chosen)
            return [p.grad.clone() for p in run.trainable()]

        clean, found = of(*batches), []
        for place, bad in enumerate(batches):  # each of them in turn
            spoilt = [*batches]
            spoilt[place] = replace(bad, inputs=bad.inputs * FACTOR)
            each = [by_norm(of(batch), LIMIT) for batch in spoilt]
            parts = [sum(grads) / len(each) for grads in zip(*each)]
            found.append((turned(clean, by_norm(of(*spoilt), LIMIT))[1], turned(clean, parts)[1]))
        return tuple(sum(angles) / len(found) for angles in zip(*found))


# %% scale
def repeated(limit: float, optimizer, seed: int, times: int) -> float:
    """Validation accuracy after clipping by norm, the mean of some trainings: a difference under a point needs more than one."""
    of = replace(recipe(Clip(max_norm=limit)), optimizer=optimizer)
    return sum(trained(replace(of, seed=times * seed + place))[1] for place in range(times)) / times


# %% measure
def measure(seeds):
    """Angles, resting places, spoilt batches, and the mistake with the loss scale."""
    values, tables = {}, {}
    values |= {f"{way}.library_gap": measured(library_gap(way, limit)) for way, limit in (("norm", 0.5), ("value", 0.01), ("agc", 0.1))}

    angles: dict[str, list[list[float]]] = {"by_value": [], "by_unit": []}
    for seed in seeds:
        grads, weights = gradient(recipe(seed=seed), TURNED_AFTER)
        for way, clip in {"by_value": partial(by_value, grads), "by_unit": partial(by_unit, grads, weights)}.items():
            angles[way].append([at_share(clip, grads, share) for share in SHARES])
    for way, rows in angles.items():
        values[f"{way}.angle"] = measured({seed: row[SHARES.index(LEFT)] for seed, row in zip(seeds, rows)})
    curve = [normal_turn(10 ** (place / 20)) for place in range(-30, 10)]
    near = next(pair for pair in (normal_turn(0.01 + place / 10000) for place in range(20000)) if pair[0] >= LEFT)
    values["normal.angle"] = measured(dict.fromkeys(seeds, near[1]))
    tables |= {"angles": angles, "normal": [list(pair) for pair in curve]}

    walks = {name: [[rests(bound, name == "rows", seed) for bound in BOUNDS] for seed in seeds] for name in ("rows", "mean")}
    for name, rows in (("rows", 1), ("mean", ROWS)):
        values[f"{name}.rest"] = measured({seed: row[BOUNDS.index(HELD)] for seed, row in zip(seeds, walks[name])})
        values[f"{name}_theory.rest"] = measured(dict.fromkeys(seeds, resting_place(HELD, rows)))
    tables["walks"] = walks

    chosen, grid = tuned()
    tables["grid"] = grid
    for way, (own, limit) in chosen.items():
        values[f"{way}.rate"] = measured(own)
        if limit is not None:
            values[f"{way}.limit"] = measured(limit)
    clipping = {way: (own, () if limit is None else (WAYS[way][1](limit),)) for way, (own, limit) in chosen.items()}
    usual, loose = chosen["clean"][0], Clip(max_norm=LOOSE)
    losses: dict[str, list[list[float]]] = {"none": [], "loose": []}
    ended: dict[str, dict[int, float]] = {}
    for seed in seeds:
        of = partial(recipe, seed=seed)
        arms = {f"{way}_poisoned": of(*clipping[way][1], Spoil(), rate=clipping[way][0]) for way in ("none", *WAYS)}
        arms |= {
            "agc_paper_poisoned": of(AGC(limit=chosen["agc"][1]), Spoil(), rate=chosen["agc"][0]),
            "norm_clean": of(*clipping["norm"][1], rate=chosen["norm"][0]),
            "none_clean": of(rate=usual),
            "usual_poisoned": of(Spoil(), rate=usual),
            "loose_clean": of(loose, rate=usual),
            "loose_poisoned": of(loose, Spoil(), rate=usual),
            "rate_0_3_limit_0_1": of(Clip(max_norm=0.1), Spoil(), rate=0.3),
            "rate_0_03_limit_1": of(Clip(max_norm=1.0), Spoil(), rate=0.03),
        }
        for arm, described in arms.items():
            loss, accuracy, steps = trained(described)
            ended.setdefault(f"{arm}.val_loss", {})[seed] = finite(loss)
            ended.setdefault(f"{arm}.val_accuracy", {})[seed] = accuracy
            if arm in ("usual_poisoned", "loose_poisoned"):
                losses["none" if arm.startswith("usual") else "loose"].append([finite(loss) for loss in steps])
        for name, limit in (("right", LIMIT), ("scaled", LIMIT / SCALE)):
            ended.setdefault(f"sgd_{name}.val_accuracy", {})[seed] = repeated(limit, SGD(lr=SGD_RATE, momentum=MOMENTUM), seed, 1)
            ended.setdefault(f"adam_{name}.val_accuracy", {})[seed] = repeated(limit, Adam(lr=ADAM_RATE), seed, REPEATS)
        sound, spoilt = lengths(of(loose, Lengths(), Spoil(), rate=usual))
        ended.setdefault("sound.length", {})[seed] = sorted(sound)[len(sound) // 2]
        ended.setdefault("spoilt.length", {})[seed] = sum(spoilt) / len(spoilt)
        ended.setdefault("loose.clipped", {})[seed] = sum(length > LOOSE for length in sound) / len(sound)
        sound, _ = lengths(of(*clipping["norm"][1], Lengths(), Spoil(), rate=chosen["norm"][0]))
        ended.setdefault("norm.clipped", {})[seed] = sum(length > chosen["norm"][1] for length in sound) / len(sound)
        ended.setdefault("whole.off", {})[seed], ended.setdefault("parts.off", {})[seed] = off(seed)
    values |= {key: measured(by_seed) for key, by_seed in ended.items()}
    tables["losses"] = losses

    grads, _ = gradient(recipe(), 0)
    scaled = [g / SCALE for g in by_norm([g * SCALE for g in grads], LIMIT)]
    gap = max(float((a - b).abs().max()) for a, b in zip(scaled, by_norm(grads, LIMIT / SCALE)))
    values["scale.gap"] = measured(gap * SCALE / LIMIT)
    return values, tables


# %% pictures
NAMES = {
    "none": Sentence("not clipped", "不裁剪"),
    "loose": Sentence("by norm, loosely", "按范数，上限较松"),
    "norm": Sentence("by norm", "按范数"),
    "value": Sentence("by value", "按值"),
    "agc": Sentence("by unit (AGC)", "按单元（AGC）"),
}


def pictures(results, folder) -> None:
    """The figures, in both languages, out of what was measured."""
    found = results.tables
    loss = Sentence("training loss", "训练损失")
    axes = Axes(Sentence("Three spoilt batches", "三个坏批次"), Sentence("step", "步数"), loss, log_y=True)
    draw(folder / "spoilt", axes, [Curve(NAMES[way], range(1, STEPS + 1), found["losses"][way]) for way in found["losses"]])

    axes = Axes(
        Sentence("How the end depends on the rate", "最终结果与学习率的关系"),
        Sentence("learning rate", "学习率"),
        Sentence("validation loss", "验证损失"),
        log_x=True,
        log_y=True,
    )
    draw(folder / "rates", axes, [Curve(NAMES[way], RATES, found["grid"][way]) for way in ("none", *WAYS)])

    axes = Axes(
        Sentence("How far clipping turns a gradient", "裁剪使梯度偏转多少"),
        Sentence("share of its length that is left", "裁剪后剩下的长度比例"),
        Sentence("angle in degrees", "夹角（度）"),
    )
    turns = [
        Curve(Sentence("by value", "按值"), SHARES, found["angles"]["by_value"]),
        Curve(Sentence("by unit (AGC)", "按单元（AGC）"), SHARES, found["angles"]["by_unit"]),
        Theory(Sentence("by value, normal numbers", "按值，正态分布"), *zip(*found["normal"])),
        Theory(Sentence("by norm", "按范数"), [0, 1], [0, 0]),
    ]
    draw(folder / "angle", axes, turns)

    axes = Axes(
        Sentence("Where clipped descent comes to rest", "裁剪后的下降停在哪里"),
        Sentence("limit", "上限"),
        Sentence("resting place", "停下的位置"),
        log_x=True,
    )
    bounds = [BOUNDS[0] * (BOUNDS[-1] / BOUNDS[0]) ** (place / 40) for place in range(41)]
    at_rest = [
        Curve(Sentence("every row clipped", "逐行裁剪"), BOUNDS, found["walks"]["rows"]),
        Curve(Sentence("their mean clipped", "平均后裁剪"), BOUNDS, found["walks"]["mean"]),
        Theory(Sentence("formula, every row", "公式，逐行"), bounds, [resting_place(bound, 1) for bound in bounds]),
        Theory(Sentence("formula, their mean", "公式，平均后"), bounds, [resting_place(bound, ROWS) for bound in bounds]),
    ]
    draw(folder / "rest", axes, at_rest)


# %% look
if __name__ == "__main__":
    for key, value in measure(range(2))[0].items():
        print(f"{key:28} {value.mean:.4g}")
