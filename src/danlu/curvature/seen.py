"""What goes through a model while a loss is taken: the inputs and outputs of layers, and the output of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from danlu.curvature.kronecker import Unit
from danlu.errors import BadInput
from danlu.losses.criterion import logits


class Seen:
    """Inside, what goes into and comes out of each unit is kept, call by call, and the whole model's output.

    A layer that is called once for all rows (an embedding of positions) is left out: what comes back to it is a sum over the rows of a
    micro-batch, whose outer product depends on the split.
    """

    def __init__(self, model: nn.Module, known: Sequence[Unit], rows: int):
        self.calls: list[tuple[Unit, Tensor, Tensor]] = []
        self.output: Any = None
        self._model, self._known, self._rows = model, known, rows

    def __enter__(self) -> Seen:
        def watch(unit: Unit) -> Any:
            def hook(layer: nn.Module, args: Any, output: Tensor) -> None:
                again = torch._C._current_graph_task_id() != -1  # in a backward pass that computes activations again
                if again or not isinstance(output, Tensor):
                    return
                x = args[0].detach()
                if len(x) == self._rows and (x.dim() > 1 or not isinstance(layer, nn.Embedding)):
                    self.calls.append((unit, x, output))

            return hook

        def whole(model: nn.Module, args: Any, output: Any) -> None:
            self.output = output

        self._hooks = [unit.layer.register_forward_hook(watch(unit)) for unit in self._known]
        self._hooks.append(self._model.register_forward_hook(whole))
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()

    @property
    def logits(self) -> Tensor | str:
        """The one tensor of outputs, rows first, that the model returned; else what it returned, in words."""
        try:
            output = logits(self.output)
        except BadInput:
            return type(self.output).__name__
        return output if len(output) == self._rows else str(tuple(output.shape))
