"""What a loss is to the loop: sums over a batch, and the counts that divide them; and the few readings that all losses share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from danlu import messages
from danlu.core import Batch, Loss
from danlu.errors import BadInput

if TYPE_CHECKING:
    from danlu.losses.returned import Returned


def forward(model: nn.Module, inputs: Any) -> Any:
    """What the model returns: a dict is passed as keywords, a tuple as positions, anything else as the one argument."""
    if isinstance(inputs, dict):
        return model(**inputs)
    return model(*inputs) if isinstance(inputs, tuple) else model(inputs)


def logits(output: Any) -> Tensor:
    """The tensor of a model's output: itself, its item "logits" or its attribute `.logits`. Raises BadInput if it has neither."""
    if isinstance(output, Tensor):
        return output
    found = output.get("logits") if isinstance(output, Mapping) else getattr(output, "logits", None)
    if not isinstance(found, Tensor):
        raise BadInput(messages.NO_LOGITS, found=type(output).__name__)
    return found


@dataclass(frozen=True)
class Criterion:
    """A loss made concrete; called as an objective it runs the model first.

    sums(output, batch): named sums, each with the name of its denominator. counts(batch): those denominators, from the targets only.
    over: "rows" (a sum over rows: any split of a batch gives the same) or "batch" (cannot be split).
    loss_name: for sentences. ignore_index: the label that counts as no label. probabilities: targets must lie between 0 and 1.
    point(output): what metrics look at: the output without columns that only this loss has (other quantiles, variances).
    whole(model, batch): for a loss that runs the model itself; `sums` then refuses. returned: see `losses.returned`.
    """

    sums: Callable[[Any, Batch], Loss]
    counts: Callable[[Batch], dict[str, Any]]
    over: str = "rows"
    loss_name: str = ""
    ignore_index: int = -100
    probabilities: bool = False
    point: Callable[[Any], Any] = lambda output: output
    whole: Callable[[nn.Module, Batch], Loss] | None = None
    returned: Returned | None = None

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        if self.whole is not None:
            return self.whole(model, batch)
        return self.sums(forward(model, batch.inputs), batch)

    def meet(self, model: nn.Module, batch: Batch) -> None:
        """Find out, with a few rows and before the first step, what the loss must know of a model. Raises Refused."""

    def look(self, model: nn.Module, batch: Batch) -> tuple[Any, Loss]:
        """What metrics look at, and the loss, from one run of the model (two for a loss that runs it itself)."""
        output = forward(model, batch.inputs)
        return self.point(output), self.sums(output, batch) if self.whole is None else self.whole(model, batch)


def term(name: str, value: Tensor, per: str) -> Loss:
    """A loss of one term."""
    return Loss({name: (value, per)})


def wide(tensor: Tensor) -> Tensor:
    """At least float32: a sum over a batch overflows float16 (65504) and loses rows in bfloat16 (8 bits)."""
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


def paired(output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Output and target in one shape; a lone last column of either is dropped, any other difference is BadInput.

    Without this [rows, 1] minus [rows] broadcasts to [rows, rows] and trains towards the mean.
    """
    if output.shape != target.shape:
        if output.shape == (*target.shape, 1):
            output = output.squeeze(-1)
        elif target.shape == (*output.shape, 1):
            target = target.squeeze(-1)
        else:
            raise BadInput(messages.SHAPES_DIFFER, output=tuple(output.shape), target=tuple(target.shape))
    return output, target.to(output.dtype)


def number(count: Tensor) -> Any:
    """A count as a number on the CPU, where reading is free and exact; elsewhere it stays a tensor, since reading would wait."""
    return count.item() if count.is_cpu else count


def constant(values: Any) -> Callable[[torch.device, torch.dtype], Tensor]:
    """`values` as a tensor on the device and in the type asked for, made once each."""

    @functools.lru_cache(maxsize=8)
    def at(device: torch.device, dtype: torch.dtype) -> Tensor:
        return torch.tensor(values, device=device, dtype=dtype)

    return at


def exact(device: torch.device) -> torch.dtype:
    """The widest float of a device: sums of weights and of squares are kept in it."""
    return torch.float32 if device.type == "mps" else torch.float64
