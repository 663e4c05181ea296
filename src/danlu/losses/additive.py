"""Does a loss add up? Tried on one batch and on two unequal parts of it, before the first step.

A mean passed for a sum trains without an error, at a rate that is too small by the size of the batch; nothing later would show it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from danlu import messages
from danlu.core import Batch, Loss
from danlu.errors import BadInput, Refused
from danlu.losses.criterion import Criterion, forward
from danlu.losses.parts import mapped, parts, splits, take, taken
from danlu.losses.returned import returned_loss


def check_additive(criterion: Criterion, model: nn.Module, batch: Batch) -> None:
    """Refuse a loss over rows whose parts do not add up; for a model that returns its own loss, find what that is a mean over.

    The model is looked at in eval mode; parameters, buffers, gradients and random streams are left as found.
    Raises Refused (a mean, or no sum over rows), BadInput (not finite, or a count that is missing).
    """
    if criterion.over == "batch":
        return
    with _looking(model):
        if criterion.whole is not None:
            with torch.enable_grad():  # it may take gradients of its own, of a penalty say
                _adds_up(criterion, [(criterion.whole(model, part), part) for part in parts(batch)])
            return
        with torch.no_grad():
            criterion.meet(model, batch)
            output = forward(model, batch.inputs)
            if criterion.returned is not None and returned_loss(output) is not None:
                criterion.returned.find(model, batch)
            else:
                additive(criterion, output, batch)


def additive(criterion: Criterion, output: Any, batch: Batch) -> None:
    """Refuse `criterion` if its sums over two unequal parts of (output, batch) are not its sum over the whole; in float64 if possible."""
    if criterion.over == "batch":
        return
    rows = len(batch.ids)
    output = mapped(lambda x: x.detach().double() if x.is_floating_point() and x.device.type != "mps" else x.detach(), output)
    ids = splits(rows)
    batches = [taken(batch, part) for part in ids]
    _adds_up(criterion, [(criterion.sums(take(output, part, rows), b), b) for part, b in zip(ids, batches)])


def _adds_up(criterion: Criterion, looks: list[tuple[Loss, Batch]]) -> None:
    """looks: the loss of the whole and of each part, each with its batch."""
    name = criterion.loss_name
    rows = [float(len(batch.ids)) for _, batch in looks]
    counts = [{"rows": r, "once": 1.0, **criterion.counts(batch)} for r, (_, batch) in zip(rows, looks)]
    for key, (_, per) in looks[0][0].terms.items():
        if per not in counts[0]:
            raise BadInput(messages.NO_DENOMINATOR, term=key, name=per, found=", ".join(counts[0]))
        if any(key not in loss.terms for loss, _ in looks):
            raise Refused(messages.LOSS_NOT_SUM, loss=name, term=key, rows=int(rows[0]), whole="-", left="-", right="-")
        values = [loss.terms[key][0] for loss, _ in looks]
        whole, left, right = (float(value.detach()) for value in values)
        if not all(map(math.isfinite, (whole, left, right))):
            raise BadInput(messages.LOSS_NOT_FINITE, loss=name, term=key, found=whole)
        close = _within(values, whole, left, right)
        shown = {"loss": name, "term": key, "rows": int(rows[0]), "whole": f"{whole:.6g}", "left": f"{left:.6g}", "right": f"{right:.6g}"}
        if per == "once":  # counted per step: a penalty on the parameters, the same for any rows
            if not (close(whole - left) and close(whole - right)):
                raise Refused(messages.LOSS_ONCE_DIFFERS, **shown)
        elif not close(whole - left - right):
            mean = close((whole * rows[0] - left * rows[1] - right * rows[2]) / rows[0])
            raise Refused(messages.LOSS_IS_MEAN if mean else messages.LOSS_NOT_SUM, **shown)
        count = [float(c[per]) for c in counts]
        if per != "once" and abs(count[0] - count[1] - count[2]) > 1e-4 * abs(count[0]):
            raise Refused(messages.COUNT_NOT_SUM, loss=name, count=per, whole=count[0], left=count[1], right=count[2])


def _within(values: list[Tensor], *numbers: float) -> Callable[[float], bool]:
    """Whether a difference is no more than rounding."""
    fine = all(value.dtype == torch.float64 for value in values)
    bound = (1e-7 if fine else 1e-4) * sum(map(abs, numbers))
    return lambda difference: abs(difference) <= bound


@contextmanager
def _looking(model: nn.Module) -> Iterator[None]:
    modes = [(module, module.training) for module in model.modules()]
    buffers = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
    model.eval()
    try:
        with torch.random.fork_rng():
            yield
    finally:
        for module, training in modes:
            module.training = training
        with torch.no_grad():
            for buffer, before in buffers:
                if not torch.equal(buffer, before):
                    buffer.copy_(before)
