"""Is the difference real? How many seeds it takes to tell two settings apart, what pairs are worth, and how a test goes wrong."""

# %% setup
import math

import numpy as np

from danlu.core import Recipe
from danlu.data.mnist import MNIST
from danlu.errors import Sentence
from danlu.losses.classification import CrossEntropy
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD
from danlu.study.ensemble import ensemble, sweep
from danlu.study.figure import Axes, Curve, Theory, draw
from danlu.study.paired import above, interval, pairs_needed
from danlu.study.results import measured
from danlu.techniques.reports.validate import Validate

MOMENTA = (0.9, 0.8)  # the two settings
STEPS, BATCH, WIDTH, RATE = 200, 64, 64, 0.05
EVERY = 20  # steps between two looks at the validation rows
RUNS = 24  # trainings of each setting in one laboratory
LEVEL = 0.05  # of a two-sided test
DRAWS = 4000  # comparisons drawn out of those runs
PAIRS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16)  # how many pairs a comparison may have
TESTED = tuple(n for n in PAIRS if n > 1)
FIRST_LOOK, LAST_LOOK = 3, 12  # of somebody who cannot wait


# %% runs
def accuracies(laboratory: int) -> np.ndarray:
    """Validation accuracy of RUNS trainings of both settings, [2 settings, RUNS, looks]; a run and its neighbour share their seed."""
    recipe = Recipe(
        model=MLP(hidden=(WIDTH,)),
        data=MNIST(subset=True),
        loss=CrossEntropy(),
        optimizer=SGD(lr=RATE),
        steps=STEPS,
        batch_size=BATCH,
        validate=Validate(every=EVERY),
    )
    seeds = range(laboratory * RUNS, (laboratory + 1) * RUNS)
    halves = [seeds[: RUNS // 2], seeds[RUNS // 2 :]]  # two programs: smaller ones stay in the processor's memory
    found = [ensemble(sweep(recipe, seeds=half, **{"optimizer.momentum": MOMENTA})) for half in halves]
    arm = lambda momentum: np.concatenate([part.where(**{"optimizer.momentum": momentum}).curve("val_accuracy")[1] for part in found])
    return np.stack([arm(momentum) for momentum in MOMENTA])


# %% count
def wrong_sign(a: np.ndarray, b: np.ndarray, n: int, together: bool, sign: float, draw_: np.random.Generator) -> float:
    """How often the mean of n runs puts the wrong setting first; a tie is half a mistake."""
    rows = draw_.integers(0, len(a), (DRAWS, n))
    others = rows if together else draw_.integers(0, len(a), (DRAWS, n))
    gaps = sign * (a[rows] - b[others]).mean(1)
    return float((gaps < -1e-9).mean() + (np.abs(gaps) <= 1e-9).mean() / 2)


# %% pairing
def noise_share(a: np.ndarray, b: np.ndarray) -> float:
    """Deviation of a - b with the same seed, over that with different seeds; one minus its square is the correlation of the arms."""
    alike = np.std(a - b, ddof=1)
    strangers = math.sqrt(np.var(a, ddof=1) + np.var(b, ddof=1))
    return float(alike / strangers)


# %% test
def density(t: float, freedom: int) -> float:
    """Student's t distribution, written out."""
    scale = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - 0.5 * math.log(freedom * math.pi)
    return math.exp(scale - (freedom + 1) / 2 * math.log1p(t * t / freedom))


def p_value(differences) -> float:
    """How often noise alone would put the mean at least this far above zero: one-sided, by Simpson's rule under the density."""
    n = len(differences)
    mean = sum(differences) / n
    deviation = math.sqrt(sum((d - mean) ** 2 for d in differences) / (n - 1))
    t = mean / (deviation / math.sqrt(n))
    width, pieces = abs(t), 2000
    weights = [1, *[4, 2] * (pieces // 2 - 1), 4, 1]
    area = sum(w * density(width * k / pieces, n - 1) for k, w in enumerate(weights)) * width / pieces / 3
    return 0.5 - math.copysign(area, t)


# %% power
def significant(differences: np.ndarray) -> np.ndarray:
    """Whether each row is significant at LEVEL by a two-sided t-test, [rows]."""
    n = differences.shape[1]
    error = differences.std(1, ddof=1) / math.sqrt(n)
    return np.abs(differences.mean(1)) > edge(n) * error + 1e-12


def edge(n: int) -> float:
    """The |t| from which n pairs are significant: what half of the 95 % interval is in standard errors."""
    ones = np.array([1.0, -1.0] * (n // 2) + [0.0] * (n % 2))
    low, high = interval(ones, level=1 - LEVEL)
    return (high - low) / 2 / (float(ones.std(ddof=1)) / math.sqrt(n))


def power(differences: np.ndarray, n: int, draw_: np.random.Generator) -> float:
    """How often n pairs are significant, with the right sign."""
    drawn = differences[draw_.integers(0, len(differences), (DRAWS, n))]
    return float((significant(drawn) & (np.sign(drawn.mean(1)) == np.sign(differences.mean()))).mean())


def formula(effect: float, n: int) -> float:
    """The same out of the textbook: the noncentral t distribution, for an effect in deviations of a pair."""
    from scipy.special import nctdtr

    return float(1 - nctdtr(n - 1, effect * math.sqrt(n), edge(n)))


# %% alarms
def false_alarms(runs: np.ndarray, draw_: np.random.Generator) -> tuple[float, float]:
    """Both arms are the same setting. How often is there "a significant difference": looking once, and looking after every pair?"""
    order = np.stack([draw_.permutation(runs) for _ in range(DRAWS)])
    gaps = order[:, :LAST_LOOK] - order[:, LAST_LOOK : 2 * LAST_LOOK]
    looks = [significant(gaps[:, :n]) for n in range(FIRST_LOOK, LAST_LOOK + 1)]
    return float(looks[10 - FIRST_LOOK].mean()), float(np.any(looks, axis=0).mean())


# %% measure
def measure(seeds):
    """One laboratory for each seed: its own RUNS trainings of both settings, and what it would have concluded from a few of them."""
    runs = {seed: accuracies(seed) for seed in seeds}
    ends = {seed: found[:, :, -1] for seed, found in runs.items()}
    gap = float(np.mean([a - b for a, b in ends.values()]))  # of all laboratories together: the nearest we get to the truth
    sign = math.copysign(1, gap)
    spread = float(np.mean([np.std(a - b, ddof=1) for a, b in ends.values()]))
    alone = float(np.mean([math.hypot(np.std(a, ddof=1), np.std(b, ddof=1)) for a, b in ends.values()]))
    draws = {seed: np.random.default_rng(seed) for seed in seeds}

    apart, together = ({n: {s: wrong_sign(*ends[s], n, way, sign, draws[s]) for s in seeds} for n in PAIRS} for way in (False, True))
    counted = {n: {s: power(ends[s][0] - ends[s][1], n, draws[s]) for s in seeds} for n in TESTED}
    own = {s: abs(float((a - b).mean())) / float(np.std(a - b, ddof=1)) for s, (a, b) in ends.items()}  # effect in deviations
    alarms = {s: false_alarms(ends[s][0], draws[s]) for s in seeds}
    by_hand = {s: p_value((b - a)[:10].tolist()) for s, (a, b) in ends.items()}
    library = {s: above((b - a)[:10], 0.0) for s, (a, b) in ends.items()}

    values = {
        "momentum_9.val_accuracy": measured({s: float(a.mean()) for s, (a, _) in ends.items()}),
        "momentum_8.val_accuracy": measured({s: float(b.mean()) for s, (_, b) in ends.items()}),
        "one_run.deviation": measured({s: float(np.std(a, ddof=1)) for s, (a, _) in ends.items()}),
        "true.gap": measured({s: float((b - a).mean()) for s, (a, b) in ends.items()}),
        "apart.noise_share": measured(dict.fromkeys(seeds, 1.0)),
        "quarter.wrong_sign": measured(dict.fromkeys(seeds, 0.25)),
        "half.power_5": measured(dict.fromkeys(seeds, 0.5)),
        "nominal.false_alarm": measured(dict.fromkeys(seeds, LEVEL)),
        "once.false_alarm": measured({s: once for s, (once, _) in alarms.items()}),
        "peeking.false_alarm": measured({s: peeking for s, (_, peeking) in alarms.items()}),
        "hand.p_gap": measured({s: abs(by_hand[s] - library[s]) for s in seeds}),
        "true.pairs_needed": measured(float(pairs_needed(spread, abs(gap), alpha=LEVEL / 2))),
    }
    for look in range(STEPS // EVERY):
        values[f"pairs_{(look + 1) * EVERY}.noise_share"] = measured({s: noise_share(*runs[s][:, :, look]) for s in seeds})
    values["pairs.runs_spared"] = measured({s: 1 - noise_share(*ends[s]) ** 2 for s in seeds})
    for n in PAIRS:
        values[f"apart_{n}.wrong_sign"], values[f"pairs_{n}.wrong_sign"] = measured(apart[n]), measured(together[n])
    for n in (5, 10):
        values[f"counted.power_{n}"] = measured(counted[n])
        values[f"formula.power_{n}"] = measured({s: formula(own[s], n) for s in seeds})
    bell = lambda n, deviation: 0.5 * math.erfc(abs(gap) * math.sqrt(n) / deviation / math.sqrt(2))
    tables = {
        "wrong": [[[way[n][s] for n in PAIRS] for s in seeds] for way in (apart, together)],
        "bell": [[bell(n, deviation) for n in PAIRS] for deviation in (alone, spread)],
        "power": [[counted[n][s] for n in TESTED] for s in seeds],
        "formula": [formula(abs(gap) / spread, n) for n in TESTED],
        "shares": [[noise_share(*runs[s][:, :, look]) for look in range(STEPS // EVERY)] for s in seeds],
    }
    return values, tables


# %% pictures
def pictures(results, folder) -> None:
    """The figures, in both languages."""
    found = results.tables
    chance = Sentence("chance", "概率")
    draw(
        folder / "wrong",
        Axes(
            Sentence("How often the wrong setting wins", "较差的设置胜出的概率"),
            Sentence("runs of each setting", "每种设置的训练次数"),
            chance,
        ),
        [
            Curve(Sentence("seeds of their own", "种子各用各的"), PAIRS, found["wrong"][0]),
            Curve(Sentence("the same seeds", "同样的种子"), PAIRS, found["wrong"][1]),
            Theory(Sentence("normal curve, own", "正态公式，各用各的"), PAIRS, found["bell"][0]),
            Theory(Sentence("normal curve, same", "正态公式，同种子"), PAIRS, found["bell"][1]),
        ],
    )
    draw(
        folder / "power",
        Axes(Sentence("How often a t-test finds the difference", "t 检验发现差异的概率"), Sentence("pairs", "对数"), chance),
        [
            Curve(Sentence("counted", "数出来的"), TESTED, found["power"]),
            Theory(Sentence("formula", "公式"), TESTED, found["formula"]),
        ],
    )
    steps = [EVERY * (look + 1) for look in range(STEPS // EVERY)]
    draw(
        folder / "shares",
        Axes(
            Sentence("What is left of the noise when seeds are shared", "共用种子之后还剩多少噪声"),
            Sentence("step", "步数"),
            Sentence("share of the noise", "剩余噪声的比例"),
        ),
        [
            Curve(Sentence("measured", "实测"), steps, found["shares"]),
            Theory(Sentence("pairs are worth nothing", "成对毫无作用"), [steps[0], steps[-1]], [1, 1]),
        ],
    )


# %% look
if __name__ == "__main__":
    results_, _ = measure(range(2))
    for key, value in results_.items():
        print(f"{key:24} {value.mean if value.mean is not None else value.values[0]:.4g}")
