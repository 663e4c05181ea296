"""Where a number that is not finite was first made, and in which samples: found by looking at a step again with every module watched.

Inputs, targets, each module's output, the loss, and then the gradients on their way back are looked at in the order in which they are
made, so what is found first is what made it. A look asks the device many times, which is why nobody looks before a step went wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from danlu import messages
from danlu.core import Batch, Loss, Objective
from danlu.errors import Sentence, say


class Trace:
    """What is found while a step is evaluated again, with the objective that `around` gives, while `watching` the model.

    where: the first place, in words; empty while all is finite. ids: the samples, over all micro-batches of that evaluation.
    all_ids: every sample of the step.
    """

    def __init__(self) -> None:
        self.where = ""
        self.ids: list[int] = []
        self.all_ids: list[int] = []
        self._again = False  # this is not the first evaluation
        self._batch: Batch | None = None
        self._seen: set[int] = set()  # places of the micro-batches of this evaluation
        self._over = False  # what comes after the evaluation in which it was found is no longer looked at
        self._found = False  # something was found in this micro-batch
        self._at = 0  # the tensor whose gradient was found
        self._held: list[Tensor] = []  # so that no two tensors of a micro-batch have one id

    @contextmanager
    def watching(self, model: nn.Module) -> Iterator[None]:
        """Inside, every module of `model` is watched, forward and backward."""
        hooks: list[Any] = []
        for name, module in model.named_modules():
            called = name or type(module).__name__
            hooks.append(module.register_forward_hook(self._after(called, messages.IN_WHAT_FOLLOWS if name else messages.IN_LOSS)))
            if not any(True for _ in module.children()):
                hooks.append(module.register_forward_pre_hook(self._before(called)))
        hooks += [p.register_hook(self._back(messages.IN_GRADIENT, name)) for name, p in model.named_parameters() if p.requires_grad]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()
            self._held = []

    def around(self, objective: Objective) -> Objective:
        """The objective, looked at before and after."""

        def traced(model: nn.Module, batch: Batch) -> Loss:
            self._begin(batch)
            loss = objective(model, batch)
            for value, _ in loss.terms.values():
                self._look(value, messages.IN_LOSS)
            return loss

        return traced

    def _begin(self, batch: Batch) -> None:
        if batch.place in self._seen:  # the micro-batches come round again: another evaluation of the same step
            self._seen, self._over, self._again = set(), bool(self.where), True
        self._seen.add(batch.place)
        self.all_ids += [] if self._again else batch.ids.tolist()
        self._batch, self._found, self._at, self._held = batch, False, 0, []
        self._look(batch.inputs, messages.IN_INPUTS)
        self._look(batch.targets, messages.IN_TARGETS)

    def _after(self, name: str, consumer: Sentence) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            self._look(output, messages.IN_MODULE, name)
            self._wait(output, consumer, name)

        return hook

    def _before(self, name: str) -> Callable[..., None]:
        return lambda module, inputs: self._wait(inputs, messages.IN_BACKWARD, name)

    def _wait(self, tree: Any, sentence: Sentence, name: str) -> None:
        """Look at the gradient that comes back to each tensor."""
        for tensor in _tensors(tree):
            if tensor.requires_grad:
                self._held.append(tensor)
                tensor.register_hook(self._back(sentence, name, id(tensor)))

    def _back(self, sentence: Sentence, name: str, at: int = -1) -> Callable[[Tensor], None]:
        def hook(gradient: Tensor) -> None:
            first = not self.where
            if self._look(gradient, sentence, name):
                self._at = at if first else 0
            elif at == self._at and sentence is messages.IN_BACKWARD:  # what took the tensor knows better than what gave it
                self.where = say(sentence, module=name)

        return hook

    def _look(self, tree: Any, sentence: Sentence, name: str = "") -> bool:
        """Note the place and the samples, if it is the first in this micro-batch that is not finite."""
        if self._found or self._over or self._batch is None:
            return False
        ids = self._batch.ids
        rows = next((bad for tensor in _tensors(tree) if (bad := _bad_rows(tensor, len(ids))) is not None), None)
        if rows is None:
            return False
        self._found = True
        self.where = self.where or say(sentence, module=name)
        self.ids += ids[rows].tolist()
        return True


def _tensors(tree: Any) -> list[Tensor]:
    """The floating tensors of a tree."""
    if isinstance(tree, Tensor):
        return [tree] if tree.is_floating_point() else []
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list | tuple) else ()
    return [tensor for item in inner for tensor in _tensors(item)]


def _bad_rows(tensor: Tensor, rows: int) -> Tensor | None:
    """Which rows hold a number that is not finite: [rows] bool, None for no row; all of them where the rows are not the first dimension."""
    bad = ~torch.isfinite(tensor.detach())
    if not bool(bad.any()):
        return None
    return bad.flatten(1).any(1) if bad.dim() > 1 and len(bad) == rows else bad if bad.shape == (rows,) else bad.new_ones(rows)
