"""Accumulation: when are many small batches one big batch, and when are they not?"""

# %% setup
import copy
import math

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from danlu.core import Recipe, Run
from danlu.data.corpora import SHAKESPEARE_FILES, SHAKESPEARE_URL
from danlu.data.find_files import dataset_folder
from danlu.data.mnist import MNIST
from danlu.errors import Sentence
from danlu.losses.classification import CrossEntropy
from danlu.nets.gpt import GPT
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD
from danlu.study.figure import Axes, Curve, draw
from danlu.study.results import measured
from danlu.techniques.model.ghost_norm import GhostNorm

BATCH, PART = 64, 16  # rows of a step, and of a micro-batch
PARTS = (2, 4, 8, 16, 32)  # rows of a micro-batch in the picture
LINES = 4  # lines of text in a micro-batch
LONGEST, VALIDATED = 48, 1000  # characters of a line that are kept; lines to validate on
STEPS, TEXT_STEPS = 30, 160
DROPOUT = 0.2


# %% data
def digits(seed: int) -> tuple[Tensor, Tensor]:
    """One batch of images [BATCH, 784] with their digits; another for each seed."""
    data = MNIST(subset=True)()
    images, labels = data.train.fetch(torch.arange(seed * BATCH, (seed + 1) * BATCH) % len(data.train), 0)
    return images.flatten(1), labels


def lines() -> tuple[Tensor, Tensor, int]:
    """Shakespeare line by line: characters [lines, LONGEST], the next characters, -100 behind the end of a line; and how many there are."""
    text = (dataset_folder("tinyshakespeare", SHAKESPEARE_FILES, SHAKESPEARE_URL) / "input.txt").read_text("utf-8")
    rows = [line[: LONGEST - 1] for line in text.splitlines() if line]
    known = {letter: place for place, letter in enumerate(["\n", *sorted(set("".join(rows)))])}
    x, y = torch.zeros(len(rows), LONGEST, dtype=torch.long), torch.full((len(rows), LONGEST), -100)
    for place, line in enumerate(rows):
        ids = torch.tensor([0, *(known[letter] for letter in line), 0])  # a line begins and ends with the line's end
        x[place, : len(ids) - 1], y[place, : len(ids) - 1] = ids[:-1], ids[1:]
    return x, y, len(known)


# %% accumulate
def means(model: nn.Module, x: Tensor, y: Tensor, rows: int) -> None:
    """Accumulation as most people write it first: the mean loss of each part, divided by how many parts there are."""
    parts = list(zip(x.split(rows), y.split(rows)))
    for inputs, targets in parts:
        loss = cross_entropy(model(inputs).flatten(0, -2), targets.flatten())
        (loss / len(parts)).backward()


def sums(model: nn.Module, x: Tensor, y: Tensor, rows: int) -> None:
    """Sums first; the one division is by everything that counts in the whole step."""
    counted = (y != -100).sum()
    for inputs, targets in zip(x.split(rows), y.split(rows)):
        loss = cross_entropy(model(inputs).flatten(0, -2), targets.flatten(), reduction="sum")
        (loss / counted).backward()


def gap(model: nn.Module, x: Tensor, y: Tensor, rows: int, how=means) -> float:
    """Length of the difference between the gradient of the parts and that of the whole, over the length of the latter."""

    def gradient(rows: int, how) -> Tensor:
        model.zero_grad()
        torch.manual_seed(0)  # of torch's dropout
        how(model, x, y, rows)
        return torch.cat([p.grad.flatten().double() for p in model.parameters() if p.grad is not None])

    whole = gradient(len(x), sums)
    return float((gradient(rows, how) - whole).norm() / whole.norm())


# %% memory
def kept(model: nn.Module, x: Tensor, y: Tensor) -> int:
    """Bytes that autograd keeps between forward and backward, each tensor once, weights and inputs not counted."""
    own = {tensor.untyped_storage().data_ptr() for tensor in [*model.parameters(), x, y]}
    seen: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        place = tensor.untyped_storage().data_ptr()
        if place not in own:
            seen[place] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        loss = cross_entropy(model(x), y)  # held, so that no place is used twice
    assert loss.requires_grad
    return sum(seen.values())


# %% weights
def weighted(model: nn.Module, x: Tensor, y: Tensor, rows: int | None) -> Tensor:
    """What the mean of means over parts of `rows` really minimises: a loss in which each part weighs the same, however much is in it."""
    real = (y != -100).float()
    if rows is None:
        weights = real / real.sum()
    else:
        parts = real.split(rows)
        weights = torch.cat([part / part.sum() / len(parts) for part in parts])
    losses = cross_entropy(model(x).flatten(0, 1), y.flatten(), reduction="none", ignore_index=-100).view_as(weights)
    return (losses * weights).sum()


def text_model(characters: int, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return GPT(width=32, depth=1, heads=2, vocab_size=characters, context=LONGEST)()


def trained(text: tuple[Tensor, Tensor, int], seed: int, rows: int | None) -> tuple[float, float]:
    """The loss of a character and the mean loss of a line, on lines that were not trained on."""
    x, y, characters = text
    model, draw_ = text_model(characters, seed), torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.0)
    for _ in range(TEXT_STEPS):
        chosen = torch.randint(len(x) - VALIDATED, (BATCH,), generator=draw_)
        optimizer.zero_grad()
        weighted(model, x[chosen], y[chosen], rows).backward()
        optimizer.step()
    with torch.no_grad():
        x, y = x[-VALIDATED:], y[-VALIDATED:]
        return weighted(model, x, y, None).item(), weighted(model, x, y, 1).item()


# %% recipes
def loss_gap(seed: int, rows: int, **changes) -> float:
    """The largest difference between the losses of two runs of danlu: whole batches, and micro-batches of `rows`."""
    recipe = Recipe(
        model=changes.pop("model", MLP()),
        data=MNIST(subset=True),
        loss=CrossEntropy(),
        optimizer=SGD(lr=0.1),
        steps=STEPS,
        batch_size=BATCH,
        seed=seed,
    )
    found = []
    for micro in (None, rows):
        run = Run(Recipe(**{**vars(recipe), **changes, "micro_batch_size": micro}))
        found.append([report.loss.item() for report in run])
    return max(abs(a - b) for a, b in zip(*found))


def torch_dropout(seed: int) -> nn.Module:
    """An MLP with dropout from torch, whose masks follow the order in which rows come by."""
    torch.manual_seed(seed)
    first = [nn.Linear(784, 64), nn.ReLU(), nn.Dropout(DROPOUT)]
    return nn.Sequential(*first, nn.Linear(64, 64), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(64, 10))


# %% measure
def measure(seeds):
    """Gaps of gradients, gaps of losses, and what the wrong denominator does to a model."""
    text = lines()
    x, y, characters = text
    values, curves = {}, {"plain": [], "means": [], "sums": [], "batch_norm": [], "torch_dropout": []}
    shown: dict[str, dict[int, float]] = {name: {} for name in curves}
    share, keyed, ghost, plain_loss, apart = {}, {}, {}, {}, {}
    for seed in seeds:
        torch.manual_seed(seed)
        plain = MLP(in_features=784, out_features=10)()
        norm = MLP(in_features=784, out_features=10, norm="batch")()
        dropped = torch_dropout(seed)
        images, labels = digits(seed)
        model = text_model(characters, seed)
        chosen = torch.randint(len(x), (BATCH,), generator=torch.Generator().manual_seed(seed))
        found = {
            "plain": lambda rows, of=(plain, images, labels): gap(*of, rows),
            "batch_norm": lambda rows, of=(norm, images, labels): gap(copy.deepcopy(of[0]), *of[1:], rows),
            "torch_dropout": lambda rows, of=(dropped, images, labels): gap(*of, rows),
            "means": lambda rows, of=(model, x[chosen], y[chosen]): gap(*of, rows),
            "sums": lambda rows, of=(model, x[chosen], y[chosen]): gap(*of, rows, how=sums),
        }
        for name, at in found.items():
            curves[name].append([at(rows) for rows in PARTS])
            shown[name][seed] = at(LINES if name in ("means", "sums") else PART)
        share[seed] = kept(plain, images[:PART], labels[:PART]) / kept(plain, images, labels)
        plain_loss[seed] = loss_gap(seed, PART)
        keyed[seed] = loss_gap(seed, PART, model=MLP(dropout=DROPOUT))
        ghost[seed] = loss_gap(seed, PART, model=MLP(norm="batch"), techniques=(GhostNorm(size=PART),))
        apart[seed] = {name: trained(text, seed, rows) for name, rows in (("sums", None), ("means", LINES))}
    values |= {f"{name}.gradient_gap": measured(by_seed) for name, by_seed in shown.items()}
    values |= {
        "none.gradient_gap": measured(dict.fromkeys(seeds, 0.0)),
        "none.loss_gap": measured(dict.fromkeys(seeds, 0.0)),
        "split.activations": measured(share),
        "quarter.activations": measured(dict.fromkeys(seeds, PART / BATCH)),
        "plain.loss_gap": measured(plain_loss),
        "keyed_dropout.loss_gap": measured(keyed),
        "ghost.loss_gap": measured(ghost),
        "shortest.characters": measured(float((y != -100).sum(1).min())),
        "mean.characters": measured(float((y != -100).sum(1).float().mean())),
    }
    for name in ("sums", "means"):
        values[f"trained_{name}.val_loss"] = measured({seed: found[name][0] for seed, found in apart.items()})
        values[f"trained_{name}.line_loss"] = measured({seed: found[name][1] for seed, found in apart.items()})
    return values, {"curves": curves}


# %% pictures
NAMES = {
    "plain": Sentence("plain layers, mean of means", "普通的层，平均的平均"),
    "sums": Sentence("lines, sums", "文本行，先求和"),
    "means": Sentence("lines, mean of means", "文本行，平均的平均"),
    "torch_dropout": Sentence("torch's dropout", "torch 的 dropout"),
    "batch_norm": Sentence("BatchNorm", "BatchNorm"),
}


def pictures(results, folder) -> None:
    """The figure, in both languages."""
    draw(
        folder / "gaps",
        Axes(
            Sentence("How far the parts are from the whole", "分份与整批差多远"),
            Sentence("rows of a micro-batch, of 64", "每份行数（共 64 行）"),
            Sentence("relative error, as a power of ten", "相对误差，以十的幂次计"),
        ),
        [Curve(NAMES[name], PARTS, [[math.log10(at) for at in row] for row in results.tables["curves"][name]]) for name in NAMES],
    )


# %% look
if __name__ == "__main__":
    results_, _ = measure(range(2))
    for key, value in results_.items():
        print(f"{key:28} {value.mean if value.mean is not None else value.values[0]:.4g}")
