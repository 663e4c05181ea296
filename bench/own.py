"""A person's own optimiser, `--add my_opt.py:Foo`, as a description like danlu's, so that it can stand in every table."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from danlu.describe.user_file import load, split
from danlu.find.names import snake
from danlu.optim.groups import Grouped


@dataclass(frozen=True)
class Own(Grouped):
    """A torch.optim.Optimizer of another's file, called as Foo(groups, lr=lr).

    target: `file.py:Name`; lr: its own default, or 1e-3; weight_decay: 0 unless it has a default of its own
    """

    target: str
    lr: float
    weight_decay: float

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        made: torch.optim.Optimizer = load(self.target)(list(params), lr=self.lr)
        return made


def described(targets: Iterable[str]) -> dict[str, Any]:
    """{name: description} of each `file.py:Name`: a class of torch optimisers, or a description (a dataclass with lr, as danlu's)."""
    found = {}
    for target in targets:
        thing = load(target)
        path, name = split(target)
        if isinstance(thing, type) and issubclass(thing, torch.optim.Optimizer):
            fields = inspect.signature(thing).parameters.items()
            own = {key: field.default for key, field in fields if isinstance(field.default, int | float)}
            thing = Own(target=f"{Path(path).absolute()}:{name}", lr=own.get("lr", 1e-3), weight_decay=own.get("weight_decay", 0.0))
        else:
            thing = thing()
        found[snake(name)] = thing
    return found
