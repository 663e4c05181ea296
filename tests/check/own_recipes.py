"""Thirty-six recipes as people write them, none of which has anything wrong with it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
import toys
from torch import Tensor, nn

from danlu import mean_loss
from danlu.core import Recipe
from danlu.data.bundled import Wine
from danlu.data.source import Data, Facts, Tensors
from danlu.describe.user_file import Named
from danlu.losses.classification import BinaryCrossEntropy, CrossEntropy, Focal, Hinge
from danlu.losses.regression import MAE, GaussianNLL, Huber, LogCosh, Quantile
from danlu.nets.cnn import CNN
from danlu.nets.gpt import GPT
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD, Adam, AdamW
from danlu.optim.lion import Lion
from danlu.optim.plateau import ReduceOnPlateau
from danlu.optim.schedules import Cosine
from danlu.techniques.gradient.clip import Clip
from danlu.techniques.gradient.sam import SAM
from danlu.techniques.model.ghost_norm import GhostNorm
from danlu.techniques.reports.checkpoint import Checkpoint
from danlu.techniques.reports.early_stop import EarlyStop
from danlu.techniques.stream.mixup import MixUp
from danlu.techniques.update.ema import EMA


def numbers(rows: int = 96, columns: int = 1, scale: float = 1.0) -> Data:
    g = torch.Generator().manual_seed(1)
    x = torch.randn(rows, 6, generator=g)
    y = scale * (x @ torch.randn(6, columns, generator=g) / 2 + 0.1 * torch.randn(rows, columns, generator=g))
    return Data(Tensors(x, y), Facts("regress", (6,), columns, rows=rows), fingerprint="n")


def labels(rows: int = 96) -> Data:
    g = torch.Generator().manual_seed(2)
    x = torch.randn(rows, 6, generator=g)
    return Data(Tensors(x, (x[:, :4] > 0.3).float()), Facts("multilabel", (6,), 4, rows=rows), fingerprint="l")


def letters(rows: int = 48, length: int = 12, ignored: float = 0.0) -> Data:
    g = torch.Generator().manual_seed(3)
    x = torch.randint(0, 11, (rows, length), generator=g).cumsum(1) % 11
    y = torch.cat([x[:, 1:], x[:, :1]], 1)
    if ignored:
        y[torch.rand(y.shape, generator=g) < ignored] = -100
        y[:, 0] = x[:, 1]
    return Data(Tensors(x, y), Facts("language", (length,), 11, vocab=11, rows=rows), fingerprint="t")


def pictures(rows: int = 64) -> Data:
    g = torch.Generator().manual_seed(4)
    y = torch.randint(0, 3, (rows,), generator=g)
    x = torch.randn(rows, 1, 12, 12, generator=g) + y[:, None, None, None]
    return Data(Tensors(x, y), Facts("classify", (1, 12, 12), 3, rows=rows), fingerprint="p")


def uneven(rows: int = 96) -> Data:
    data = toys.made(rows, held_out=24)
    counts = tuple(torch.bincount(data.train.content()[1], minlength=3).tolist())
    return Data(data.train, Facts("classify", (6,), 3, rows=rows, class_counts=counts), val=data.val, fingerprint="u")


def regressor(columns: int = 1) -> nn.Module:
    return nn.Sequential(nn.Linear(6, 32), nn.SiLU(), nn.Linear(32, columns))


def dropping() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3))


def frozen() -> nn.Module:
    model = toys.net()
    model[0].requires_grad_(False)
    return model


class ZeroHead(nn.Module):
    """The last layer starts at zero: nothing before it has a gradient in the first step."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh()), nn.Linear(16, 3)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


class LowRank(nn.Module):
    """A frozen layer with a low-rank addition whose second factor starts at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.base = nn.Linear(6, 3).requires_grad_(False)
        self.a, self.b = nn.Parameter(torch.randn(6, 2)), nn.Parameter(torch.zeros(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + x @ self.a @ self.b


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(11, 16)
        nn.init.normal_(self.embed.weight, std=0.1)
        self.mix = nn.GRU(16, 16, batch_first=True)
        self.head = nn.Linear(16, 11, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.mix(self.embed(x))[0])


def masked_sum(output: Tensor, target: Tensor) -> tuple[Tensor, str]:
    flat = F.cross_entropy(output.flatten(0, 1), target.flatten(), reduction="sum")
    return {"tokens": (flat, "tokens")}


masked_sum.counts = lambda batch: {"tokens": int((batch.targets != -100).sum())}


def row_losses(output: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(output, target, reduction="none")


def penalised(model: nn.Module, batch: object) -> dict[str, object]:
    loss = F.cross_entropy(model(batch.inputs), batch.targets, reduction="sum")
    return {"loss": loss, "penalty": (1e-3 * sum(p.abs().sum() for p in model.parameters()), "once")}


NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, num_features, num_classes, width=16, rate=0.0):
        super().__init__()
        self.first, self.norm, self.dropped = nn.Linear(num_features, width), nn.LayerNorm(width), nn.Dropout(rate)
        self.last = nn.Linear(width, num_classes)

    def forward(self, x):
        return self.last(self.dropped(self.norm(self.first(x).tanh())))

def optimizer(params, lr=1e-2, eps=1e-8):
    return torch.optim.RAdam([p for _, p in params], lr=lr, eps=eps)
"""


def base(**fields: object) -> Recipe:
    known = {"model": MLP(hidden=(32,)), "data": uneven, "optimizer": AdamW(lr=5e-3), "steps": 300, "batch_size": 16, "device": "cpu"}
    return Recipe(**(known | fields))


def language(**fields: object) -> Recipe:
    return base(**({"model": GPT(width=16, depth=1, heads=2), "data": letters, "batch_size": 8} | fields))


def regression(**fields: object) -> Recipe:
    return base(**({"model": regressor, "data": numbers} | fields))


def from_file(folder: Path, **fields: object) -> Recipe:
    (folder / "file.py").write_text(NET, "utf-8")
    own = Named(f"{folder / 'file.py'}:Net", {"width": 24, "rate": 0.1})
    return base(model=own, data=Wine(), optimizer=Named(f"{folder / 'file.py'}:optimizer", {"lr": 5e-3}), **fields)


RECIPES: dict[str, Callable[[Path], Recipe]] = {
    "classification": lambda _: base(),
    "split": lambda _: base(micro_batch_size=4, schedule=Cosine(warmup=10), techniques=(Clip(max_norm=0.5),)),
    "split unevenly": lambda _: base(micro_batch_size=5, loss=CrossEntropy(class_weights=(0.2, 1.0, 3.0))),
    "balanced weights": lambda _: base(micro_batch_size=8, loss=CrossEntropy(class_weights="balanced", label_smoothing=0.1)),
    "torch loss": lambda _: base(loss=F.cross_entropy, optimizer=torch.optim.SGD),
    "torch loss with weights": lambda _: base(loss=nn.CrossEntropyLoss(weight=torch.tensor([0.5, 2.0, 1.0])), micro_batch_size=4),
    "row losses": lambda _: base(loss=row_losses, micro_batch_size=4),
    "loss that runs the model": lambda _: base(loss=penalised, micro_batch_size=4),
    "focal": lambda _: base(loss=Focal(gamma=1.5), precision="fp64"),
    "hinge": lambda _: base(loss=Hinge(margin=2.0)),
    "bf16": lambda _: base(precision="bf16", micro_batch_size=4, techniques=(EMA(decay=0.9),)),
    "bf16 language": lambda _: language(precision="bf16", micro_batch_size=2),
    "fp16": lambda _: base(precision="fp16"),
    "fp64": lambda _: base(precision="fp64", micro_batch_size=4, optimizer=Adam(lr=3e-3, weight_decay=0.01)),
    "foreign dropout": lambda _: base(model=dropping),
    "foreign dropout, split": lambda _: base(model=dropping, micro_batch_size=4),
    "keyed dropout, split": lambda _: base(model=MLP(hidden=(32,), dropout=0.3), micro_batch_size=4),
    "batch norm": lambda _: base(model=toys.batch_normed),
    "ghost norm, split": lambda _: base(model=toys.batch_normed, micro_batch_size=8, techniques=(GhostNorm(size=4),)),
    "frozen part": lambda _: base(model=frozen, optimizer=AdamW(lr=2e-2)),
    "zero head": lambda _: base(model=ZeroHead),
    "low rank": lambda _: base(model=LowRank, optimizer=AdamW(lr=2e-2)),
    "lion": lambda _: base(optimizer=Lion(lr=1e-3, weight_decay=0.1), model=toys.batch_normed),
    "lbfgs": lambda _: base(optimizer=functools.partial(torch.optim.LBFGS, line_search_fn="strong_wolfe"), steps=20),
    "sam and mixup": lambda _: base(techniques=(SAM(rho=0.02), MixUp(alpha=0.4)), micro_batch_size=8),
    "all reports": lambda _: base(techniques=(EarlyStop(patience=3), Checkpoint(every=50), EMA()), schedule=ReduceOnPlateau()),
    "fine-tuning rate": lambda _: base(optimizer=AdamW(lr=1e-4), steps=3000),
    "regression": lambda _: regression(micro_batch_size=4),
    "regression, two columns": lambda _: regression(model=lambda: regressor(2), data=lambda: numbers(columns=2), loss=MAE()),
    "regression in the user's units": lambda _: regression(data=lambda: numbers(scale=300.0), loss=Huber(delta=50.0), steps=20000),
    "smooth regression": lambda _: regression(loss=LogCosh()),
    "quantiles": lambda _: regression(model=MLP(hidden=(16,)), loss=Quantile(quantiles=(0.2, 0.8)), micro_batch_size=4),
    "variance": lambda _: regression(model=MLP(hidden=(16,)), loss=GaussianNLL()),
    "mean of rows": lambda _: regression(loss=mean_loss(lambda output, target: (output - target).square().mean())),
    "several labels": lambda _: base(data=labels, loss=BinaryCrossEntropy(pos_weight=2.0), micro_batch_size=4),
    "several labels, torch": lambda _: base(data=labels, model=lambda: nn.Linear(6, 4), loss=nn.BCEWithLogitsLoss(), optimizer=SGD(lr=0.5)),
    "language": lambda _: language(techniques=(Clip(),), schedule=Cosine(warmup=0.1)),
    "ignored tokens, split": lambda _: language(data=lambda: letters(ignored=0.5), micro_batch_size=2),
    "own counts": lambda _: language(data=lambda: letters(ignored=0.5), micro_batch_size=2, loss=masked_sum),
    "tied and recurrent": lambda _: language(model=Tied, optimizer=AdamW(lr=1e-2)),
    "pictures": lambda _: base(model=CNN(), data=pictures, optimizer=AdamW(lr=1e-2, weight_decay=0.05)),
    "own file": lambda folder: from_file(folder, micro_batch_size=4),
}  # fmt: skip
