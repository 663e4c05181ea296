"""The three trainings that the exam interrupts: an MLP with dropout, a tiny GPT, a small CNN with BatchNorm. Rows are made, not read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import nn

from danlu.core import Batch, Gradient, Loss, Objective, Outcome, Run, Stream, Technique
from danlu.data.source import Data, Facts, Tensors

ROWS = 96


@dataclass(frozen=True)
class Numbers:
    """Rows of 16 numbers in 4 classes: 96 to train on, 32 to validate, 32 to test."""

    workers: int = 0
    seed: int = 0

    def __call__(self) -> Data:
        draw = torch.Generator().manual_seed(self.seed)
        x = torch.randn(ROWS + 64, 16, generator=draw)
        y = (x @ torch.randn(16, 4, generator=draw)).argmax(1)
        return _data(x, y, Facts("classify", (16,), 4, rows=ROWS), self)


@dataclass(frozen=True)
class Tokens:
    """Rows of 17 tokens of 32, each the sum of the two before it: the first 16 are inputs, the last 16 targets."""

    workers: int = 0
    seed: int = 0

    def __call__(self) -> Data:
        x = torch.randint(0, 32, (ROWS + 64, 17), generator=torch.Generator().manual_seed(self.seed))
        for place in range(2, 17):
            x[:, place] = (x[:, place - 1] + x[:, place - 2]) % 32
        return _data(x[:, :-1].contiguous(), x[:, 1:].contiguous(), Facts("language", (16,), 32, vocab=32, rows=ROWS), self)


@dataclass(frozen=True)
class Pictures:
    """Pictures of 1 x 8 x 8 in 4 classes: which quarter is brightest."""

    workers: int = 0
    seed: int = 0

    def __call__(self) -> Data:
        x = torch.rand(ROWS + 64, 1, 8, 8, generator=torch.Generator().manual_seed(self.seed))
        y = torch.nn.functional.avg_pool2d(x, 4).flatten(1).argmax(1)
        return _data(x, y, Facts("classify", (1, 8, 8), 4, rows=ROWS), self)


def _data(x: torch.Tensor, y: torch.Tensor, facts: Facts, made: Numbers | Tokens | Pictures) -> Data:
    parts = [Tensors(x[a:b], y[a:b], made.workers) for a, b in ((0, ROWS), (ROWS, ROWS + 32), (ROWS + 32, ROWS + 64))]
    return Data(parts[0], facts, parts[1], parts[2], fingerprint=f"{type(made).__name__} {made.seed}")


@dataclass
class Ids(Technique):
    """Write the sample ids of each step to the file `ids` of the current folder: a line `[step, [id, ...]]` for each gradient taken."""

    neutral: ClassVar = "writes a file"
    changes: ClassVar = "files"

    def wrap_gradient(self, gradient: Gradient, run: Run) -> Gradient:
        def written(objective: Objective, batches: Sequence[Batch]) -> Outcome:
            ids = [int(number) for batch in batches for number in batch.ids]
            with open("ids", "a", encoding="utf-8") as file:
                file.write(json.dumps([batches[0].step, ids]) + "\n")
            return gradient(objective, batches)

        return written


@dataclass
class Spoil(Technique):
    """In the steps `at` (counted from 0) a number is not finite: in one row's inputs, in the loss of one micro-batch, in one gradient.

    row: which row of the step, and so which micro-batch. A gradient is spoiled in one number of the first weight, in every micro-batch.
    """

    where: Literal["input", "loss", "gradient"] = "input"
    at: tuple[int, ...] = (7,)
    row: int = 0
    value: Literal["nan", "inf"] = "nan"
    neutral: ClassVar = "spoils a step"
    changes: ClassVar = "gradients"

    def wrap_stream(self, stream: Stream, run: Run) -> Stream:
        seen = 0  # rows of this step so far
        for batch in stream:
            there = range(seen, seen + len(batch.ids))
            if self.where == "input" and batch.step in self.at and self.row in there:
                batch.inputs = batch.inputs.clone()
                batch.inputs[self.row - seen] = float(self.value)
            seen = 0 if batch.last else there.stop
            yield batch

    def wrap_objective(self, objective: Objective, run: Run) -> Objective:
        def spoiled(model: nn.Module, batch: Batch) -> Loss:
            loss = objective(model, batch)
            size = run.recipe.micro_batch_size or run.recipe.batch_size
            if self.where != "loss" or batch.step not in self.at or batch.place != self.row // size:
                return loss
            return Loss({name: (value * float(self.value), per) for name, (value, per) in loss.terms.items()})

        return spoiled

    def wrap_model(self, model: nn.Module, run: Run) -> nn.Module:
        def hook(gradient: torch.Tensor) -> torch.Tensor | None:
            if run.step not in self.at:
                return None
            gradient = gradient.clone()
            gradient.view(-1)[0] = float(self.value)
            return gradient

        if self.where == "gradient":
            next(p for p in model.parameters() if p.dim() > 1).register_hook(hook)
        return model


IDS = f"{Path(__file__).resolve()}:Ids"
SPOIL = f"{Path(__file__).resolve()}:Spoil"

_MODELS: dict[str, tuple[dict[str, Any], type]] = {
    "mlp": ({"mlp": {"hidden": [64, 64], "dropout": 0.1}}, Numbers),
    "gpt": ({"gpt": {"width": 64, "depth": 2, "heads": 4, "dropout": 0.1}}, Tokens),
    "cnn": ({"cnn": {"widths": [8, 16], "dropout": 0.1}}, Pictures),
}
NAMES = tuple(_MODELS)


def write(
    folder: Path,
    name: str,
    *,
    steps: int = 60,
    every: int | str = 4,
    workers: int = 0,
    background: bool = False,
    seed: int = 1,
    techniques: tuple[Any, ...] = (),
    data: dict[str, Any] | None = None,
    **fields: Any,
) -> Path:
    """The recipe file of a job, `folder/NAME.yaml`: AdamW under a cosine, an average, validation each epoch of 6 steps.

    every: steps, or time, between two checkpoints. techniques: more of them, inside the others. data: options of the rows. fields: others
    of the recipe.
    """
    model, rows = _MODELS[name]
    recipe = {
        "model": model,
        "data": {f"{Path(__file__).resolve()}:{rows.__name__}": {"workers": workers, **(data or {})}},
        "optimizer": {"adamw": {"lr": 0.003}},
        "schedule": {"cosine": {"warmup": 5}},
        "techniques": [{"checkpoint": {"every": every, "background": background}}, {"ema": {"decay": 0.9}}, *techniques],
        "steps": steps,
        "batch_size": 16,
        "seed": seed,
        **fields,
    }
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps(recipe, indent=1), encoding="utf-8")  # JSON is YAML
    return path
