"""`danlu.fit`: a live module and somebody's data, trained by `Run` in one call."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import nn

from danlu import find, messages
from danlu.core import Recipe
from danlu.data.checks import check_rows
from danlu.errors import BadInput, say
from danlu.metrics.metric import Metric
from danlu.notebook.bar import teller
from danlu.notebook.fitted import Fitted
from danlu.notebook.foreign import Items, data_of
from danlu.notebook.loader import Loader, Loading, length
from danlu.techniques.reports.validate import Validate

NOTHING = Metric("nothing", lambda output, batch: {}, lambda stats: {}, True, messages.UNDEFINED_LABELS)


def fit(
    model: Any,
    train: Any,
    val: Any = None,
    test: Any = None,
    *,
    target: str | None = None,
    loss: Any = "auto",
    optimizer: Any = "adamw",
    lr: float | None = None,
    schedule: Any = None,
    techniques: Sequence[Any] = (),
    epochs: float | None = None,
    steps: int | None = None,
    batch_size: int | None = None,
    micro_batch_size: int | None = None,
    metrics: Sequence[Any] = (),
    precision: str = "fp32",
    seed: int = 0,
    device: str = "auto",
    every: int = 10,
    out: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> Fitted:
    """Train `model` and return the run: `.metrics`, `.plot()`, `.predict(x)`, `.evaluate(data)`; `for report in run` goes on.

    model: a live nn.Module, trained in place; for arrays also what `Recipe.model` may be. train, val, test: a DataLoader (its batches, in
    its order), a data set of torch or Hugging Face, (x, y) of arrays, a DataFrame (with `target`), or danlu data; batches are (inputs,
    targets) or dicts. target: the column or key of the targets. optimizer: a name, a class of torch, a description, or a live optimiser.
    loss, schedule, techniques (names or instances), metrics: as in `Recipe`. every: steps between two rows of `.metrics`. out: a run
    folder to log and save in; the same call goes on there. progress: show how far it is.

    An interrupt (Ctrl-C, the stop button) ends after the step that is going on: the model keeps what it learned.
    Raises BadInput and Refused before the first step; Diverged after 100 steps in a row that were not finite.
    """
    size = _batch_size(train, batch_size)
    recipe = Recipe(
        model=model,
        data=train,
        loss=loss,
        optimizer=_optimizer(optimizer, lr),
        schedule=_named("schedule", schedule),
        techniques=tuple(_named("technique", technique) for technique in techniques),
        placement=Loading(),
        precision=precision,
        epochs=epochs,
        steps=steps,
        batch_size=size or 32,
        micro_batch_size=micro_batch_size,
        metrics=tuple(_named("metric", metric) for metric in metrics),
        seed=seed,
        device=device,
    )
    data, usual = data_of(recipe, train, val, test, target=target, steps=steps)
    if isinstance(data.train, Loader):
        recipe = dataclasses.replace(recipe, batch_size=data.train.batch_size)
        if length(data.train.loader) is None and not any(isinstance(technique, Validate) for technique in techniques):
            recipe = dataclasses.replace(recipe, validate=Validate(every=max(1, (steps or 1) // 10)))
    elif not isinstance(data.train, Items):
        check_rows(data, recipe.batch_size)
    recipe = dataclasses.replace(
        recipe,
        model=functools.partial(_same, model) if isinstance(model, nn.Module) else model,
        metrics=recipe.metrics or (() if usual else (NOTHING,)),
    )
    with ExitStack() as stack:
        shown = stack.enter_context(teller(progress))
        run = Fitted(recipe, data, every, shown)
        if isinstance(data.train, Loader):
            shown.tell(say(messages.LOADER_ORDER))
        if out is None:
            run.go_on()
        else:
            run.train_in(out)
    return run


def _same(model: nn.Module) -> nn.Module:
    """The module itself: a recipe's own module would be copied."""
    return model


def _batch_size(train: Any, asked: int | None) -> int | None:
    from torch.utils.data import DataLoader

    if isinstance(train, DataLoader) and asked is not None:
        raise BadInput(messages.FIT_BATCH_SIZE, found=asked, own=train.batch_size)
    return asked


def _named(kind: str, wish: Any) -> Any:
    """A name as the description of its defaults; anything else as it is."""
    return find.find(kind, wish.replace("-", "_").lower()).load()() if isinstance(wish, str) else wish


def _optimizer(wish: Any, lr: float | None) -> Any:
    """What `Recipe.optimizer` takes, with the rate."""
    wish = _named("optimizer", wish)
    if isinstance(wish, torch.optim.Optimizer):
        if lr is not None:
            raise BadInput(messages.FIT_LIVE_RATE)
        return functools.partial(_live, wish)
    if lr is None:
        return wish
    if dataclasses.is_dataclass(wish) and not isinstance(wish, type):
        return dataclasses.replace(wish, lr=lr)
    return functools.partial(wish, lr=lr)


def _live(optimizer: torch.optim.Optimizer, trainable: Any) -> torch.optim.Optimizer:
    """A live optimiser, if it moves what the model has. Raises BadInput otherwise."""
    mine = {id(p) for group in optimizer.param_groups for p in group["params"]}
    for name, p in trainable:
        if id(p) not in mine:
            raise BadInput(messages.FIT_LIVE_OPTIMIZER, name=name)
    return optimizer
