"""Weight averaging: is EMA or SWA free? What an average of the weights does to noise, and what a decaying rate has done already."""

# %% setup
import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.functional import avg_pool2d, cross_entropy

from danlu.core import Recipe, Run
from danlu.data.images import image_data
from danlu.data.mnist import FASHION_LABELS, MNIST, FashionMNIST
from danlu.errors import Sentence
from danlu.losses.classification import CrossEntropy
from danlu.nets.facts import evaluating
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD
from danlu.optim.schedules import Constant, Linear
from danlu.study.figure import Axes, Curve, Theory, draw
from danlu.study.results import measured
from danlu.techniques.update.ema import EMA
from danlu.techniques.update.swa import SWA, restated

CURVATURE, NOISE, VALLEY_RATE, VALLEY_STEPS, WALKERS = 1.0, 1.0, 0.1, 600, 2000  # the noisy valley
WINDOWS, LATE = (1, 3, 10, 30, 100), 100  # 1 / (1 - decay); steps at the end that are looked at
STEPS, BATCH, WIDTH, EVERY, JUDGED = 400, 32, 64, 40, 2000  # JUDGED: validation rows that are looked at
DECAYS = (0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
RATES, TUNING = (0.005, 0.01, 0.02, 0.04, 0.08, 0.16), (1001, 1002, 1003)  # and the seeds that choose rates and decays
SCHEDULES = {"constant": Constant(), "decayed": Linear()}
START, TAKEN = 0.5, 10  # of SWA: the share of the steps after which it begins, and the steps between two weights that it takes
NORM_STEPS, NORM_BATCH, NORM_RATE = 250, 64, 0.3  # the network with BatchNorm


# %% average
def averaged(history: list[Tensor], decay: float) -> Tensor:
    """The exponential moving average of a history of weights, which begins with the first of them."""
    average = history[0]
    for weights in history[1:]:
        average = decay * average + (1 - decay) * weights
    return average


def mean(history: list[Tensor]) -> Tensor:
    """The plain average, without keeping more than one of them."""
    average = history[0]
    for place, weights in enumerate(history[1:], 1):
        average = average + (weights - average) / (place + 1)
    return average


# %% valley
def walked(schedule, seed: int) -> dict[int, list[float]]:
    """Mean square distance from the bottom of c x**2 / 2 after each step: of averages over each window; a window of one is the walker."""
    draw_ = torch.Generator().manual_seed(seed)
    factor, x = schedule(VALLEY_STEPS), torch.zeros(WALKERS, dtype=torch.float64)
    averages, squares = dict.fromkeys(WINDOWS, x), {window: [] for window in WINDOWS}
    for step in range(VALLEY_STEPS):
        gradient = CURVATURE * x + NOISE * torch.randn(WALKERS, generator=draw_, dtype=torch.float64)
        x = x - VALLEY_RATE * factor(step) * gradient
        for window in WINDOWS:
            averages[window] = (1 - 1 / window) * averages[window] + x / window
            squares[window].append(float((averages[window] ** 2).mean()))
    return squares


def predicted(schedule, window: int) -> list[float]:
    """The same without any chance: what a step does to the mean of x**2, of x times the average, and of the average squared."""
    factor, decay, xx, xe, ee, squares = schedule(VALLEY_STEPS), 1 - 1 / window, 0.0, 0.0, 0.0, []
    for step in range(VALLEY_STEPS):
        rate = VALLEY_RATE * factor(step)
        shrink = 1 - rate * CURVATURE
        xx, xe = shrink**2 * xx + rate**2 * NOISE**2, shrink * xe
        ee = decay**2 * ee + 2 * decay * (1 - decay) * xe + (1 - decay) ** 2 * xx
        xe = decay * xe + (1 - decay) * xx
        squares.append(ee)
    return squares


def share(window: float) -> float:
    """What is left of the noise in the long run: (1 - b)(1 + b r) / ((1 + b)(1 - b r)), b the decay, r what a walker keeps in a step."""
    b, r = 1 - 1 / window, 1 - VALLEY_RATE * CURVATURE
    return (1 - b) * (1 + b * r) / ((1 + b) * (1 - b * r))


# %% data
def small():
    """Fashion-MNIST with every two by two pixels averaged; so many rows that none comes twice."""
    data, splits = FashionMNIST()(), {}
    for name, part in (("train", data.train), ("val", data.val)):
        pooled = [avg_pool2d(rows.float(), 2).round().to(torch.uint8) for rows in part.images.split(5000)]
        splits[name] = (torch.cat(pooled), part.targets)
    return image_data(splits, FASHION_LABELS, (73.0,), (85.0,), "none", 0)


# %% train
def name_of(decay: float) -> str:
    """How results call an average: ema_0_99."""
    return f"ema_{decay:g}".replace(".", "_")


def kept_by(run: Run) -> dict[str, dict[str, Tensor] | None]:
    """The averages that a run keeps beside its weights, by name, and the weights."""
    emas = {name_of(t.decay) if not t.warmup else "ema_warmed": t.average for t in run.techniques if isinstance(t, EMA)}
    swa = next(t.average for t in run.techniques if isinstance(t, SWA))
    return {"last": {name: p.detach() for name, p in run.model.named_parameters()}, **emas, "swa": swa}


def trained(data, seed: int, rate: float, schedule) -> dict[str, list[float]]:
    """One training, and at every look the validation loss of its weights and of all their averages; SWA has one from the middle on."""
    averages = [*(EMA(decay=decay, warmup=False) for decay in DECAYS), EMA(), SWA(start=START, every=TAKEN)]
    recipe = Recipe(
        model=MLP(hidden=(WIDTH,)),
        data=None,
        loss=CrossEntropy(),
        optimizer=SGD(lr=rate, momentum=0.9),
        schedule=schedule,
        techniques=tuple(averages),
        steps=STEPS,
        batch_size=BATCH,
        validate=False,
        seed=seed,
    )
    x, y = data.val.fetch(torch.arange(JUDGED), 0)
    losses: dict[str, list[float]] = {}
    with Run(recipe, data=data) as run:
        for report in run:
            if report.step % EVERY == 0:
                for name, weights in kept_by(run).items():
                    if weights is not None:
                        with torch.no_grad():
                            losses.setdefault(name, []).append(float(cross_entropy(functional_call(run.model, weights, x), y)))
    return losses


# %% tune
EMAS = [name_of(decay) for decay in DECAYS]


def tuned(found: dict[float, list[dict[str, list[float]]]], names: list[str]) -> tuple[float, str]:
    """The rate and the average of `names` with which the tuning seeds end lowest."""
    total = lambda rate, name: sum(losses[name][-1] for losses in found[rate])
    return min(((rate, name) for rate in RATES for name in names), key=lambda pair: total(*pair))


# %% norms
def with_norms(data, seed: int) -> dict[str, float]:
    """A network with BatchNorm at a high constant rate: the loss of its weights, and of averages with statistics kept or measured again."""
    recipe = Recipe(
        model=MLP(hidden=(WIDTH, WIDTH), norm="batch"),
        data=None,
        loss=CrossEntropy(),
        optimizer=SGD(lr=NORM_RATE, momentum=0.9),
        techniques=(EMA(decay=0.98), SWA(start=START, every=TAKEN, restate=False)),
        steps=NORM_STEPS,
        batch_size=NORM_BATCH,
        validate=False,
        seed=seed,
    )
    x, y = data.val.fetch(torch.arange(len(data.val)), 0)
    with Run(recipe, data=data) as run:
        for _ in run:
            pass
        ema, swa = (t.average for t in run.techniques if isinstance(t, EMA | SWA))
        weights = {"last": {}, "ema_kept": ema, "swa_kept": swa}
        weights |= {"ema_restated": {**ema, **restated(run, ema)}, "swa_restated": {**swa, **restated(run, swa)}}
        with evaluating(run.model), torch.no_grad():
            found = {f"{name}.val_loss": float(cross_entropy(functional_call(run.model, w, x), y)) for name, w in weights.items()}
        name = "layers.1.running_var"
        found["swa.variance"] = float((weights["swa_restated"][name] / swa[name]).log().mean().exp())
    found["last_norm.val_loss"] = found.pop("last.val_loss")
    return found


# %% library
def library_gaps(data, seed: int) -> dict[str, float]:
    """danlu's averages against those above, after forty steps; and its weights against those of a training without averages."""
    recipe = {"model": MLP(hidden=(WIDTH,)), "data": None, "loss": CrossEntropy(), "optimizer": SGD(lr=0.1), "steps": 40}
    recipe |= {"batch_size": BATCH, "validate": False, "seed": seed, "precision": "fp64"}
    key, history = "layers.0.weight", []
    with Run(Recipe(**recipe), data=data) as run:
        history.append(run.model.get_parameter(key).detach().clone())
        for _ in run:
            history.append(run.model.get_parameter(key).detach().clone())
    with Run(Recipe(**recipe, techniques=(EMA(decay=0.9, warmup=False), SWA(start=START, every=TAKEN))), data=data) as run:
        for _ in run:
            pass
        ema, swa = (t.average[key] for t in run.techniques if isinstance(t, EMA | SWA))
        gap = lambda a, b: float((a - b).detach().abs().max())
        return {
            "ema.library_gap": gap(ema, averaged(history, 0.9)),
            "swa.library_gap": gap(swa, mean(history[30::TAKEN])),
            "training.library_gap": gap(run.model.get_parameter(key), history[-1]),
        }


# %% measure
def measure(seeds):
    """Everything that the page shows."""
    found: dict[str, dict[int, float]] = {}
    tables: dict = {"steps": list(range(EVERY, STEPS + 1, EVERY)), "valley": [], "curves": {}, "rates": {}}

    def note(seed: int, more: dict[str, float]) -> None:
        for key, value in more.items():
            found.setdefault(key, {})[seed] = value

    late = lambda squares: sum(squares[-LATE:]) / LATE
    for seed in seeds:
        squares = walked(Constant(), seed)
        shares = [late(squares[window]) / late(squares[1]) for window in WINDOWS]
        tables["valley"].append(shares)
        note(seed, {f"window_{window}.noise": value for window, value in zip(WINDOWS, shares)})
        note(seed, {f"formula_{window}.noise": share(window) for window in WINDOWS})
        fallen = walked(Linear(), seed)
        note(seed, {f"fallen_{window}.end": fallen[window][-1] / late(squares[1]) for window in WINDOWS})
        note(seed, {f"fallen_formula_{window}.end": predicted(Linear(), window)[-1] / predicted(Constant(), 1)[-1] for window in WINDOWS})

    data = small()
    for kind, schedule in SCHEDULES.items():
        grid = {rate: [trained(data, seed, rate, schedule) for seed in TUNING] for rate in RATES}
        arms = {"last": tuned(grid, ["last"]), "ema": tuned(grid, EMAS), "swa": tuned(grid, ["swa"])}
        for name in ("last", arms["ema"][1]):
            tables["rates"][f"{kind}_{'last' if name == 'last' else 'ema'}"] = [
                [grid[rate][place][name][-1] for rate in RATES] for place in range(len(TUNING))
            ]
        runs = {rate: {seed: trained(data, seed, rate, schedule) for seed in seeds} for rate in {rate for rate, _ in arms.values()}}
        for name, (rate, which) in arms.items():
            for seed in seeds:
                note(seed, {f"{kind}_{name}.val_loss": runs[rate][seed][which][-1]})
            found[f"{kind}_{name}.rate"] = rate
        found[f"{kind}_ema.decay"] = DECAYS[EMAS.index(arms["ema"][1])]
        same = runs[arms["last"][0]]
        for seed in seeds:
            note(seed, {f"{kind}_{name}.val_loss": losses[-1] for name, losses in same[seed].items() if name not in ("last", "swa")})
        tables["curves"][kind] = {name: [same[seed][name] for seed in seeds] for name in same[seeds[0]]}

    digits = MNIST(subset=True)()
    for seed in seeds:
        note(seed, with_norms(digits, seed))
        note(seed, library_gaps(digits, seed))
    return {key: measured(value) for key, value in found.items()}, tables


# %% pictures
SHOWN = {
    "last": Sentence("the weights themselves", "权重本身"),
    "ema_0_9": Sentence("average, decay 0.9", "平均，decay 0.9"),
    "ema_0_98": Sentence("average, decay 0.98", "平均，decay 0.98"),
    "ema_0_995": Sentence("average, decay 0.995", "平均，decay 0.995"),
}


def pictures(results, folder) -> None:
    """The figures, in both languages."""
    found = results.tables
    axes = Axes(
        Sentence("What an average leaves of the noise", "平均之后还剩多少噪声"),
        Sentence("window, in steps", "窗口（步数）"),
        Sentence("share of the noise", "剩下的比例"),
        log_x=True,
        log_y=True,
    )
    theory = Theory(Sentence("formula", "公式"), WINDOWS, [share(window) for window in WINDOWS])
    draw(folder / "valley", axes, [Curve(Sentence("measured", "实测"), WINDOWS, found["valley"]), theory])

    titles = {
        "constant": Sentence("Averages of a training at a constant rate", "恒定学习率训练中的各种平均"),
        "decayed": Sentence("Averages of a training whose rate decays to zero", "学习率降到零的训练中的各种平均"),
    }
    for kind, title in titles.items():
        axes = Axes(title, Sentence("step", "步数"), Sentence("validation loss", "验证损失"), log_y=True)
        draw(folder / kind, axes, [Curve(said, found["steps"], found["curves"][kind][name]) for name, said in SHOWN.items()])

    axes = Axes(
        Sentence("Which rate is best depends on who is asked", "哪个学习率最好，要看问的是谁"),
        Sentence("learning rate", "学习率"),
        Sentence("validation loss", "验证损失"),
        log_x=True,
        log_y=True,
    )
    names = {
        "constant_last": Sentence("constant, last weights", "恒定，最后的权重"),
        "constant_ema": Sentence("constant, average", "恒定，平均权重"),
        "decayed_last": Sentence("decayed, last weights", "降到零，最后的权重"),
        "decayed_ema": Sentence("decayed, average", "降到零，平均权重"),
    }
    draw(folder / "rates", axes, [Curve(said, RATES, found["rates"][name]) for name, said in names.items()])


# %% look
if __name__ == "__main__":
    results_, _ = measure(range(2))
    for key, value in results_.items():
        print(f"{key:28} {value.mean if value.mean is not None else value.values[0]:.4g}")
