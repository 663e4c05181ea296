"""Whatever a recipe's `loss` may be, as a `Criterion`: a description, "auto", torch's own losses, or any function of the user's."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from typing import Any

from torch import Tensor, nn

from danlu import messages
from danlu.core import Batch, Loss
from danlu.data.source import Facts
from danlu.errors import BadInput, Refused
from danlu.losses import native
from danlu.losses.additive import additive, check_additive
from danlu.losses.classification import BinaryCrossEntropy, CrossEntropy
from danlu.losses.criterion import Criterion, wide
from danlu.losses.regression import MSE
from danlu.losses.returned import Returned, returned_loss
from danlu.losses.targets import check_targets

__all__ = ["BatchLoss", "MeanLoss", "additive", "batch_loss", "check_additive", "check_targets", "mean_loss", "objective"]


def objective(loss: Any, facts: Facts) -> Criterion:
    """The criterion for a recipe's `loss`.

    - "auto": the task's usual loss, or the one the model itself returns as `.loss`.
    - a description: called with the facts. A class of descriptions or of loss modules stands for its defaults.
    - a loss of torch, or one with a `reduction`: called so that it sums, over the count that torch's mean divides by.
    - f(output, target): a sum (0-d) or one value a row, or a dict of these by name. `output` is what the model returned.
    - f(model, batch), told by the first parameter's name: a Loss, a dict of named sums, or a sum; it runs the model itself.
    - `mean_loss(f)`, `batch_loss(f)`: what is no sum over rows. An attribute `over = "batch"` says the same as `batch_loss`.
    A function's attribute `counts` (batch -> dict) adds denominators, for terms given as (sum, name of the denominator).

    Raises BadInput for anything else, Refused for a loss module with parameters of its own (nothing would train them).
    """
    if isinstance(loss, Criterion):
        return loss
    if isinstance(loss, str) and loss == "auto":
        return _auto(facts)
    if isinstance(loss, type):
        loss = loss()
    if not callable(loss):
        raise BadInput(messages.NOT_A_LOSS, found=repr(loss))
    if isinstance(loss, nn.Module):
        return native.module(loss, facts) if hasattr(loss, "reduction") else _function(loss)
    if is_dataclass(loss) or _names(loss) == ["facts"]:
        return objective(loss(facts), facts)
    return native.function(loss, facts) if native.has_reduction(loss) else _function(loss)


def mean_loss(f: Callable[[Any, Any], Tensor]) -> MeanLoss:
    """Says that f(output, target) is a mean over rows, so that the sum is f times the rows."""
    return MeanLoss(f)


def batch_loss(f: Callable[[Any, Any], Any]) -> BatchLoss:
    """Says that f looks at the batch as a whole (contrastive losses, say), so that a batch must not be split."""
    return BatchLoss(f)


@dataclass(frozen=True)
class MeanLoss:
    """See `mean_loss`."""

    f: Callable[[Any, Any], Any]

    def __call__(self, facts: Facts) -> Criterion:
        return _function(self.f, mean=True)


@dataclass(frozen=True)
class BatchLoss:
    """See `batch_loss`."""

    f: Callable[[Any, Any], Any]

    def __call__(self, facts: Facts) -> Criterion:
        return _function(self.f, over="batch")


_USUAL = {
    "classify": CrossEntropy,
    "language": CrossEntropy,
    "masked_language": CrossEntropy,
    "multilabel": BinaryCrossEntropy,
    "regress": MSE,
}


def _auto(facts: Facts) -> Criterion:
    """The task's usual loss; a loss that the model returns itself goes before it."""
    if facts.task not in _USUAL:
        raise BadInput(messages.NO_USUAL_LOSS, task=facts.task, known=", ".join(_USUAL))
    usual, returned = _USUAL[facts.task]()(facts), Returned()

    def sums(output: Any, batch: Batch) -> Loss:
        loss = returned_loss(output)
        return usual.sums(output, batch) if loss is None else returned.sums(output, loss, batch)

    def counts(batch: Batch) -> dict[str, Any]:
        own = usual.counts(batch) if isinstance(batch.targets, Tensor) else {}
        return own | returned.counts(batch) if isinstance(batch.inputs, dict) else own

    return Criterion(sums, counts, loss_name=usual.loss_name, ignore_index=usual.ignore_index, returned=returned)


def _function(f: Callable[..., Any], mean: bool = False, over: str | None = None) -> Criterion:
    """A function (or module) of (output, target) or of (model, batch)."""
    name = getattr(f, "__name__", type(f).__name__)
    over = over or getattr(f, "over", "rows")
    if over not in ("rows", "batch"):
        raise BadInput(messages.LOSS_OVER, loss=name, found=over)
    if isinstance(f, nn.Module) and any(p.requires_grad for p in f.parameters()):
        raise Refused(messages.LOSS_HAS_PARAMETERS, loss=name)
    per = "once" if over == "batch" else "rows"
    counts: Callable[[Batch], dict[str, Any]] = getattr(f, "counts", lambda batch: {})

    def named(result: Any, batch: Batch) -> Loss:
        return _loss(result, name if name.isidentifier() else "loss", per, len(batch.ids), mean)

    if _names(f)[:1] == ["model"]:

        def refuse(output: Any, batch: Batch) -> Loss:
            raise Refused(messages.LOSS_RUNS_MODEL, loss=name)

        return Criterion(refuse, counts, over, name, whole=lambda model, batch: named(f(model, batch), batch))

    def sums(output: Any, batch: Batch) -> Loss:
        return named(f(wide(output) if isinstance(output, Tensor) else output, batch.targets), batch)

    return Criterion(sums, counts, over, name)


def _loss(result: Any, name: str, per: str, rows: int, mean: bool) -> Loss:
    """What a user's function returned, as named sums."""
    if isinstance(result, Loss):
        return result
    named = result if isinstance(result, dict) else {name: result}
    terms = {}
    for key, value in named.items():
        value, count = value if isinstance(value, tuple) else (value, per)
        if not isinstance(value, Tensor):
            raise BadInput(messages.LOSS_NO_TENSOR, loss=name, found=type(value).__name__)
        if value.ndim and (value.shape != (rows,) or mean or count == "once"):
            raise BadInput(messages.LOSS_SHAPE, loss=name, found=tuple(value.shape), rows=rows)
        value = wide(value)
        terms[key] = (value.sum() if value.ndim else value * rows if mean else value, count)
    return Loss(terms)


def _names(f: Callable[..., Any]) -> list[str]:
    """Names of the positional parameters that must be given."""
    try:
        parameters = inspect.signature(f.forward if isinstance(f, nn.Module) else f).parameters.values()
    except (TypeError, ValueError):  # a built-in without a signature
        return []
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty]
