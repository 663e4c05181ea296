"""What one batch of somebody's loader or data set holds, as inputs and targets: a pair, a longer tuple, or a dict."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from danlu import messages
from danlu.errors import BadInput

TARGETS = ("labels", "label", "targets", "target", "y")  # what a dict calls them, where nobody says


@dataclass(frozen=True)
class Reader:
    """Batches as (inputs, targets) for a model whose `forward` takes `parameters` (and any other name, if `open`).

    (x, y) is that. Of a longer tuple the last is the targets, the others are the model's parameters in order. Of a dict `target` (or the
    first name of `TARGETS`) is the targets; the model gets what it has parameters for, the labels too if it asks for them. Numbers and
    numpy arrays become tensors, 64-bit floats 32-bit ones.
    """

    parameters: tuple[str, ...]
    open: bool = False
    target: str | None = None

    @classmethod
    def of(cls, model: Any, target: str | None) -> Reader:
        if not isinstance(model, nn.Module):
            return cls((), False, target)
        found = inspect.signature(model.forward).parameters.values()
        names = tuple(p.name for p in found if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
        return cls(names, any(p.kind is p.VAR_KEYWORD for p in found), target)

    def __call__(self, batch: Any) -> tuple[Any, Any]:
        if isinstance(batch, Mapping):
            return self._of_dict({str(name): value for name, value in batch.items()})
        if not isinstance(batch, tuple | list) or len(batch) < 2:
            raise BadInput(messages.BATCH_FORM, found=_described(batch))
        if self.target is not None:
            raise BadInput(messages.BATCH_TARGET, target=self.target, found=_described(batch))
        *inputs, targets = map(tensors, batch)
        if len(inputs) == 1:
            return inputs[0], targets
        if len(inputs) > len(self.parameters):
            raise BadInput(messages.BATCH_LONG, found=len(inputs), parameters=", ".join(self.parameters) or "-")
        return dict(zip(self.parameters, inputs)), targets

    def _of_dict(self, batch: dict[str, Any]) -> tuple[Any, Any]:
        names = (self.target,) if self.target else TARGETS
        name = next((name for name in names if name in batch), None)
        if name is None:
            raise BadInput(messages.BATCH_NO_TARGET, names=", ".join(names), found=", ".join(batch))
        targets = tensors(batch[name])
        others = {key: tensors(value) for key, value in batch.items() if key != name and _numeric(value)}
        wanted = {key: value for key, value in others.items() if self.open or key in self.parameters}
        if self.open or "labels" in self.parameters:
            wanted |= {name if name in self.parameters else "labels": targets} if wanted and name in ("label", "labels") else {}
        if wanted:
            return wanted, targets
        if len(others) == 1:
            return next(iter(others.values())), targets
        raise BadInput(messages.BATCH_NAMES, found=", ".join(others) or "-", parameters=", ".join(self.parameters) or "-")


def tensors(tree: Any) -> Any:
    """The same with tensors for arrays and numbers; 64-bit floats become 32-bit ones, as the parameters of models are."""
    if isinstance(tree, Mapping):
        return {str(key): tensors(value) for key, value in tree.items()}
    found = tree if isinstance(tree, Tensor) else torch.as_tensor(np.require(tree, requirements="W"))
    return found.float() if found.dtype == torch.float64 else found


def _numeric(value: Any) -> bool:
    if isinstance(value, Tensor | Mapping):
        return True
    return np.asarray(value).dtype.kind in "biuf"


def _described(batch: Any) -> str:
    if isinstance(batch, tuple | list):
        return f"{type(batch).__name__} of {len(batch)}"
    return f"{type(batch).__name__} {tuple(batch.shape)}" if hasattr(batch, "shape") else type(batch).__name__
