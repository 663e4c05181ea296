"""A first look at regularisation: early stopping, dropout, weight decay and augmentation on few images, alone and together."""

# %% setup
import torch
from torch.nn.functional import avg_pool2d, cross_entropy

from danlu.core import Recipe, Run
from danlu.data.images import image_data
from danlu.data.mnist import FASHION_LABELS, FashionMNIST
from danlu.errors import Sentence
from danlu.losses.classification import CrossEntropy
from danlu.nets.facts import evaluating
from danlu.nets.mlp import MLP
from danlu.optim.first_order import AdamW
from danlu.study.figure import Axes, Curve, bars, draw
from danlu.study.results import measured
from danlu.techniques.reports.early_stop import EarlyStop
from danlu.techniques.reports.validate import Validate

IMAGES, WATCHED, JUDGED = 1000, 500, 2000  # to train on, to decide when to stop, to judge what came of it
WIDTH, STEPS, BATCH, RATE, EVERY = 256, 800, 64, 0.003, 50
PATIENCE = 4  # looks without an improvement that are borne
DROPOUT, DECAY = 0.5, 0.5
ARMS = {
    "plain": (0.0, 0.0, "none"),
    "dropout": (DROPOUT, 0.0, "none"),
    "decay": (0.0, DECAY, "none"),
    "moved": (0.0, 0.0, "flip_crop"),
    "all_three": (DROPOUT, DECAY, "flip_crop"),
}


# %% data
def parts():
    """All images, every two by two pixels averaged, as bytes; their classes. Training ones and others."""
    data = FashionMNIST()()
    small = lambda rows: (avg_pool2d(rows.images.float(), 2).round().to(torch.uint8), rows.targets)
    return small(data.train), small(data.val)


def dealt(train, other, seed: int, augment: str):
    """Data of few images, other ones for each seed; and the images that judge, which decide nothing."""
    order = torch.randperm(len(train[0]), generator=torch.Generator().manual_seed(seed))[:IMAGES]
    splits = {"train": (train[0][order], train[1][order]), "val": (other[0][:WATCHED], other[1][:WATCHED])}
    data = image_data(splits, FASHION_LABELS, (73.0,), (85.0,), augment, 0)
    return data, ((other[0][WATCHED:][:JUDGED].float() - 73) / 85, other[1][WATCHED:][:JUDGED])


# %% train
@torch.no_grad()
def judged(model, x, y) -> tuple[float, float]:
    """The loss and the accuracy on images."""
    logits = model(x)
    return float(cross_entropy(logits, y)), float((logits.argmax(1) == y).double().mean())


def recipe(arm: str, seed: int, *techniques) -> Recipe:
    dropout, decay, _ = ARMS[arm]
    model, sgd = MLP(hidden=(WIDTH,), dropout=dropout), AdamW(lr=RATE, weight_decay=decay)
    how = {"loss": CrossEntropy(), "techniques": techniques, "validate": Validate(every=EVERY)}
    return Recipe(model=model, data=None, optimizer=sgd, steps=STEPS, batch_size=BATCH, seed=seed, **how)


def trained(arm: str, seed: int, data, judges) -> list[tuple[float, float, float]]:
    """At every look: the loss on the watched images, and loss and accuracy on those that judge."""
    looks = []
    with Run(recipe(arm, seed), data=data) as run:
        for report in run:
            if report.metrics:
                with evaluating(run.model):
                    looks.append((float(report.metrics["val_loss"]), *judged(run.model, *judges)))
    return looks


# %% stop
def best_so_far(losses: list[float], patience: int) -> int:
    """The place of the loss that early stopping goes back to: the lowest, as long as nobody had to wait too long for it."""
    best = 0
    for place, loss in enumerate(losses):
        if loss < losses[best]:
            best = place
        elif place - best > patience:
            break
    return best


def library_stop(seed: int, data) -> int:
    """The same by danlu's EarlyStop, as the step it goes back to."""
    watching = EarlyStop(watch="val_loss", patience=PATIENCE)
    with Run(recipe("plain", seed, watching), data=data) as run:
        for _ in run:
            pass
        return next(t for t in run.techniques if isinstance(t, EarlyStop)).best_step


# %% measure
def measure(seeds):
    """Every arm with every seed; early stopping is read off the plain one."""
    train, other = parts()
    found: dict[str, dict[int, float]] = {}
    curves: dict[str, list[list[float]]] = {arm: [] for arm in ARMS}
    gaps = []
    for seed in seeds:
        own = {}
        for arm, (_, _, augment) in ARMS.items():
            data, judges = dealt(train, other, seed, augment)
            looks = trained(arm, seed, data, judges)
            own |= {f"{arm}.new_loss": looks[-1][1], f"{arm}.new_accuracy": looks[-1][2]}
            curves[arm].append([loss for _, loss, _ in looks])
            if arm == "plain":
                place = best_so_far([watched for watched, _, _ in looks], PATIENCE)
                gaps.append(abs((place + 1) * EVERY - library_stop(seed, data)))
                own |= {"stopped.new_loss": looks[place][1], "stopped.new_accuracy": looks[place][2], "stopped.step": (place + 1) * EVERY}
        plain = own["plain.new_accuracy"]
        own["sum_of_gains.new_accuracy"] = plain + sum(own[f"{arm}.new_accuracy"] - plain for arm in ("dropout", "decay", "moved"))
        for key, value in own.items():
            found.setdefault(key, {})[seed] = value
    values = {key: measured(by_seed) for key, by_seed in found.items()}
    values["epoch.steps"] = measured(-(-IMAGES // BATCH))
    values["stop.library_gap"] = measured(max(gaps))
    return values, {"curves": curves}


# %% pictures
NAMES = {
    "plain": Sentence("none", "不用"),
    "stopped": Sentence("early stop", "早停"),
    "dropout": Sentence("dropout", "dropout"),
    "decay": Sentence("decay", "权重衰减"),
    "moved": Sentence("augmentation", "数据增强"),
    "all_three": Sentence("all three", "三者同用"),
    "sum_of_gains": Sentence("their sum", "三者之和"),
}


def pictures(results, folder) -> None:
    """The figures, in both languages."""
    steps = [EVERY * (place + 1) for place in range(STEPS // EVERY)]
    title = Sentence("The loss on new images", "新图像上的损失")
    axes = Axes(title, Sentence("step", "步数"), Sentence("loss", "损失"))
    draw(folder / "losses", axes, [Curve(NAMES[arm], steps, results.tables["curves"][arm]) for arm in ARMS])
    values = lambda arm: results.value(f"{arm}.new_accuracy").values
    more = lambda arm: [100 * (a - b) for a, b in zip(values(arm), values("plain"))]
    points = Sentence("more accuracy than without, points", "比不用时多出的准确率（百分点）")
    axes = Axes(Sentence("What each is worth in accuracy", "各自值多少准确率"), Sentence("", ""), points)
    bars(folder / "gains", axes, [(NAMES[arm], more(arm)) for arm in list(NAMES)[1:]])


# %% look
if __name__ == "__main__":
    for key, value in measure(range(2))[0].items():
        print(f"{key:28} {value.mean:.4g}")
