"""A worked case: from a baseline to a tuned model on Fashion-MNIST, one step at a time, each measured over seeds.

python cases/fashion_mnist/measure.py      measures everything again (about 10 CPU-minutes on 1 thread) and writes results.json
"""

# %% setup
import tempfile
from dataclasses import replace
from pathlib import Path

import torch

from danlu.core import Recipe, Run
from danlu.data.mnist import FashionMNIST
from danlu.errors import Sentence
from danlu.losses.classification import CrossEntropy
from danlu.nets.cnn import CNN
from danlu.nets.mlp import MLP
from danlu.optim.first_order import AdamW
from danlu.optim.schedules import OneCycle
from danlu.run.train import train
from danlu.study.figure import Axes, Curve, draw
from danlu.study.paired import interval
from danlu.study.results import measured
from danlu.techniques.gradient.clip import Clip
from danlu.techniques.gradient.sam import SAM
from danlu.techniques.stream.mixup import MixUp
from danlu.techniques.update.ema import EMA

SEEDS, STEPS, BATCH, LONG = 5, 300, 64, 1200
WIDTHS = (16, 32, 64)  # channels of the convolutional network, half of what is usual: it is to be measured some hundred times
RATES = (0.001, 0.003, 0.01, 0.03)  # of a constant rate
PEAKS = (0.01, 0.03)  # of one cycle


# %% baseline
def baseline() -> Recipe:
    """What one would write first: a small perceptron, AdamW as it comes, a constant rate."""
    return Recipe(
        model=MLP(hidden=(128,)),
        data=FashionMNIST(),
        loss=CrossEntropy(),
        optimizer=AdamW(lr=0.001, weight_decay=0.05),
        steps=STEPS,
        batch_size=BATCH,
    )


def linear() -> Recipe:
    """No hidden layer at all: logistic regression."""
    return replace(baseline(), model=MLP(hidden=()))


# %% extras
EXTRAS = {
    "shift": lambda best: replace(best, data=FashionMNIST(augment="flip_crop")),
    "smoothing": lambda best: replace(best, loss=CrossEntropy(label_smoothing=0.1)),
    "mixup": lambda best: replace(best, techniques=(MixUp(alpha=0.2),)),
    "clip": lambda best: replace(best, techniques=(Clip(max_norm=1.0),)),
    "ema": lambda best: replace(best, techniques=(EMA(decay=0.99),)),
    "sam": lambda best: replace(best, techniques=(SAM(rho=0.05),)),
}


# %% train
def validated(recipe: Recipe, seeds, data) -> dict[int, float]:
    """Validation accuracy at the end of a training with each seed. The test rows are not looked at."""
    found = {}
    for seed in seeds:
        with Run(replace(recipe, seed=seed), data=data(recipe.data)) as run:
            for report in run:
                found[seed] = report.metrics.get("val_accuracy", found.get(seed))
    return found


def tested(recipe: Recipe, seeds) -> dict[str, dict[int, float]]:
    """Validation and test accuracy of a training to its end, in a run folder, as `danlu train` does it: the test rows are read once."""
    found = {"val_accuracy": {}, "test_accuracy": {}}
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            looks = {}
            watch = lambda report, run, looks=looks: looks.update({report.step: report.metrics.get("val_accuracy")})
            result = train(replace(recipe, seed=seed), Path(folder) / "run", watchers=[watch])
            found["val_accuracy"][seed] = looks[result.best_step or result.step]
            found["test_accuracy"][seed] = result.metrics["test_accuracy"]
    return found


# %% choose
def mean(found: dict[int, float]) -> float:
    return sum(found.values()) / len(found)


def better(new: dict[int, float], old: dict[int, float]) -> bool:
    """Whether the 95 % interval of the paired difference lies above zero: only then is a step kept."""
    low, _ = interval(torch.tensor([new[seed] - old[seed] for seed in sorted(old)], dtype=torch.float64).numpy(), level=0.95)
    return low > 0


def arm(kind: str, rate: float) -> str:
    """How results call a rate: rate_0_01."""
    return f"{kind}_{rate:g}".replace(".", "_")


# %% measure
def measure(seeds):
    """All steps in order. Each goes on from what was kept so far; what did not help is measured and dropped."""
    read = {}

    def data(description):
        return read.setdefault(description, description())

    arms, kept = {}, []

    def tried(name: str, recipe: Recipe) -> dict[int, float]:
        arms[name] = validated(recipe, seeds, data)
        print(f"{name:14} {mean(arms[name]):.4f}", flush=True)
        return arms[name]

    tried("linear", linear())
    now = tried("baseline", baseline())
    best = baseline()

    cnn = {rate: replace(best, model=CNN(widths=WIDTHS), optimizer=AdamW(lr=rate, weight_decay=0.05)) for rate in RATES}
    found = {rate: tried(arm("rate", rate), recipe) for rate, recipe in cnn.items()}
    arms["net"] = found[RATES[0]]
    chosen = max(RATES, key=lambda rate: mean(found[rate]))
    arms["rate"], best, now = found[chosen], cnn[chosen], found[chosen]

    cycle = {peak: replace(cnn[peak], schedule=OneCycle()) for peak in PEAKS}
    found = {peak: tried(arm("cycle", peak), recipe) for peak, recipe in cycle.items()}
    peak = max(PEAKS, key=lambda each: mean(found[each]))
    arms["cycle"] = found[peak]
    if better(found[peak], now):
        best, now = cycle[peak], found[peak]
        kept.append("cycle")

    flipped = tried("flip", replace(best, data=FashionMNIST(augment="flip")))
    arms["before_flip"] = now
    if better(flipped, now):
        best, now = replace(best, data=FashionMNIST(augment="flip")), flipped
        kept.append("flip")

    arms["best"] = now
    for name, change in EXTRAS.items():
        if better(tried(name, change(best)), now):
            kept.append(name)

    values = {f"{name}.val_accuracy": measured(found) for name, found in arms.items()}
    values["chosen.rate"], values["chosen.peak"] = measured(chosen), measured(peak)
    values["kept.count"] = measured(len(kept))
    for name, before in {"net": "baseline", "rate": "net", "cycle": "rate", "flip": "before_flip", **dict.fromkeys(EXTRAS, "best")}.items():
        values[f"{name}.gain"] = measured({seed: arms[name][seed] - arms[before][seed] for seed in arms[name]})

    long = {
        "baseline_long": baseline(),
        "plain_long": replace(best, data=FashionMNIST()),
        "flip_long": replace(best, data=FashionMNIST(augment="flip")),
    }
    ends = {name: tested(replace(recipe, steps=LONG), seeds) for name, recipe in long.items()}
    ends["tuned_long"] = max((ends["plain_long"], ends["flip_long"]), key=lambda end: mean(end["val_accuracy"]))
    for name, end in ends.items():
        values |= {f"{name}.{metric}": measured(found) for metric, found in end.items()}
        print(f"{name:14} {mean(end['val_accuracy']):.4f} test {mean(end['test_accuracy']):.4f}", flush=True)
    return values, {"kept": kept, "seeds": list(seeds)}


# %% pictures
STORY = {
    "linear": Sentence("linear", "线性"),
    "baseline": Sentence("baseline", "基线"),
    "net": Sentence("CNN", "卷积网络"),
    "rate": Sentence("rate", "学习率"),
    "cycle": Sentence("one cycle", "单周期"),
    "flip": Sentence("flip", "翻转"),
}


def pictures(results, folder) -> None:
    """The steps in order, and what each extra changed, in both languages."""
    seeds = range(len(results.tables["seeds"]))
    accuracy = [[results.value(f"{name}.val_accuracy").values[seed] for name in STORY] for seed in seeds]
    words = {language: ", ".join(getattr(word, language) for word in STORY.values()) for language in ("en", "zh")}
    draw(
        folder / "steps",
        Axes(
            Sentence("Each step at the same short budget", "同样的短预算下，每一步的结果"),
            Sentence(f"step: {words['en']}", f"步骤：{words['zh']}"),
            Sentence("validation accuracy", "验证准确率"),
        ),
        [Curve(Sentence("measured", "实测"), list(range(1, len(STORY) + 1)), accuracy)],
    )
    gains = [[100 * results.value(f"{name}.gain").values[seed] for name in EXTRAS] for seed in seeds]
    names = ", ".join(EXTRAS)
    draw(
        folder / "extras",
        Axes(
            Sentence("What each extra changed", "每个附加技巧带来的变化"),
            Sentence(f"extra: {names}", f"附加技巧：{names}"),
            Sentence("change of the accuracy, points", "准确率变化（百分点）"),
        ),
        [Curve(Sentence("measured", "实测"), list(range(1, len(EXTRAS) + 1)), gains)],
    )


# %% record
if __name__ == "__main__":
    from danlu.learn.case import read
    from danlu.learn.measure import measure as record

    here = Path(__file__).resolve().parent
    record(read(here), here, SEEDS)
    (here / "cost.json").unlink()  # results.json says it too
