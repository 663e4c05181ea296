"""torch's own losses, called so that they sum: `F.mse_loss`, a partial of it, `nn.CrossEntropyLoss(weight=...)` and their kin.

torch's mean divides by one of a few things; each loss here is the sum, with that thing as its count.
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

from danlu import messages
from danlu.core import Batch, Loss
from danlu.data.source import Facts
from danlu.errors import BadInput, Refused
from danlu.losses.criterion import Criterion, exact, logits, number, paired, term, wide

# What the mean of each function of torch.nn.functional divides by.
_LABELS = ("cross_entropy", "nll_loss")  # labels that are not ignored, or their weights
_ELEMENTS = (
    "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div",
    "soft_margin_loss", "poisson_nll_loss", "hinge_embedding_loss", "gaussian_nll_loss",
)  # fmt: skip
_ROWS = ("multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss", "margin_ranking_loss", "cosine_embedding_loss")
_TRIPLETS = ("triplet_margin_loss", "triplet_margin_with_distance_loss")  # rows; the model returns all three, and there is no target

_MODULES = {
    nn.CrossEntropyLoss: "cross_entropy", nn.NLLLoss: "nll_loss", nn.MSELoss: "mse_loss", nn.L1Loss: "l1_loss",
    nn.SmoothL1Loss: "smooth_l1_loss", nn.HuberLoss: "huber_loss", nn.BCELoss: "binary_cross_entropy",
    nn.BCEWithLogitsLoss: "binary_cross_entropy_with_logits", nn.KLDivLoss: "kl_div", nn.SoftMarginLoss: "soft_margin_loss",
    nn.PoissonNLLLoss: "poisson_nll_loss", nn.HingeEmbeddingLoss: "hinge_embedding_loss", nn.GaussianNLLLoss: "gaussian_nll_loss",
    nn.MultiMarginLoss: "multi_margin_loss", nn.MultiLabelMarginLoss: "multilabel_margin_loss",
    nn.MultiLabelSoftMarginLoss: "multilabel_soft_margin_loss", nn.MarginRankingLoss: "margin_ranking_loss",
    nn.CosineEmbeddingLoss: "cosine_embedding_loss", nn.TripletMarginLoss: "triplet_margin_loss",
    nn.TripletMarginWithDistanceLoss: "triplet_margin_with_distance_loss",
}  # fmt: skip


def module(loss: nn.Module, facts: Facts) -> Criterion:
    """A loss module with a `reduction`: a copy of it that sums. A module of the user's own is counted in rows."""
    name = next((_MODULES[kind] for kind in type(loss).__mro__ if kind in _MODULES), None)
    if name is None and type(loss).__module__.startswith("torch.nn."):
        raise Refused(messages.NATIVE_UNKNOWN, loss=type(loss).__name__)
    if any(p.requires_grad for p in loss.parameters()):
        raise Refused(messages.LOSS_HAS_PARAMETERS, loss=type(loss).__name__)
    per_row = loss.reduction == "batchmean"
    weight = getattr(loss, "weight", None)

    @functools.lru_cache(maxsize=8)
    def at(device: torch.device, dtype: torch.dtype) -> nn.Module:
        summing = copy.deepcopy(loss).to(device, dtype)
        summing.reduction = "sum"  # type: ignore[assignment]  # a plain attribute to a module
        return summing

    return _criterion(name or "", type(loss).__name__, at, facts, weight, getattr(loss, "ignore_index", -100), per_row)


def function(loss: Callable[..., Tensor], facts: Facts) -> Criterion:
    """A function with a keyword `reduction`, or a partial of one, called with reduction="sum". One of the user's own is counted in rows."""
    inner, keywords = (loss.func, loss.keywords) if isinstance(loss, functools.partial) else (loss, {})
    native = getattr(inner, "__module__", "") == "torch.nn.functional"
    name = inner.__name__
    if native and name not in (*_LABELS, *_ELEMENTS, *_ROWS, *_TRIPLETS):
        raise Refused(messages.NATIVE_UNKNOWN, loss=name)

    @functools.lru_cache(maxsize=8)
    def at(device: torch.device, dtype: torch.dtype) -> Callable[..., Tensor]:
        placed = {key: value.to(device, dtype) if isinstance(value, Tensor) else value for key, value in keywords.items()}
        return functools.partial(loss, **{**placed, "reduction": "sum"})

    per_row = keywords.get("reduction") == "batchmean"
    return _criterion(name if native else "", name, at, facts, keywords.get("weight"), keywords.get("ignore_index", -100), per_row)


def has_reduction(loss: Callable[..., Any]) -> bool:
    try:
        return "reduction" in inspect.signature(loss).parameters
    except (TypeError, ValueError):  # a built-in without a signature
        return False


def _criterion(
    name: str, shown: str, at: Callable[..., Any], facts: Facts, weight: Tensor | None, ignore_index: int, per_row: bool
) -> Criterion:
    """name: torch's function, "" for one of the user's own. at(device, dtype): the summing loss there."""
    if name in _LABELS:
        return _labels(name, at, facts, weight, ignore_index)
    per = "elements" if name in _ELEMENTS and not per_row else "rows"
    whole_shapes = name in _ELEMENTS or name == "multilabel_soft_margin_loss"

    def sums(output: Any, batch: Batch) -> Loss:
        outputs, target = _outputs(output), batch.targets
        loss = at(outputs[0].device, outputs[0].dtype)
        if name in _TRIPLETS:
            return term(shown, loss(*outputs), "rows")
        if whole_shapes:
            first, target = paired(outputs[0], target)
            outputs = (first, *outputs[1:])
        if name == "gaussian_nll_loss":
            return term(shown, loss(outputs[0], target, *(paired(v, target)[0] for v in outputs[1:])), per)
        return term(shown, loss(*outputs, target), per)

    def counts(batch: Batch) -> dict[str, Any]:
        return {"elements": batch.targets.numel()} if per == "elements" else {}

    return Criterion(sums, counts, loss_name=shown)


def _labels(name: str, at: Callable[..., Any], facts: Facts, weight: Tensor | None, ignore_index: int) -> Criterion:
    """Cross-entropy and its kin: torch reads dim 1 of the output as classes; of a language model's output the last dim is meant."""
    last = facts.task in ("language", "masked_language")
    per = "tokens" if weight is None else "weights"

    @functools.lru_cache(maxsize=8)
    def weights(device: torch.device) -> Tensor:
        return cast(Tensor, weight).detach().to(device, exact(device))

    def sums(output: Any, batch: Batch) -> Loss:
        scores, target = _outputs(output)[0], batch.targets
        loss = at(scores.device, scores.dtype)
        soft = target.is_floating_point()
        if last and scores.ndim > 2:
            scores = scores.movedim(-1, 1)
            target = target.movedim(-1, 1) if soft else target
        fits = target.shape == scores.shape if soft else target.shape == scores.shape[:1] + scores.shape[2:]
        if not fits:
            found = str(target.dtype).removeprefix("torch.")
            raise BadInput(messages.LABEL_SHAPES, output=tuple(scores.shape), target=tuple(target.shape), dtype=found)
        return term(name, loss(scores, target.to(scores.dtype) if soft else target.long()), per)

    def counts(batch: Batch) -> dict[str, Any]:
        target = batch.targets
        if target.is_floating_point():
            return {per: float(target.numel() // target.shape[-1 if last or target.ndim < 2 else 1])}
        real = target != ignore_index
        if weight is None:
            return {"tokens": number(torch.count_nonzero(real))}
        return {"weights": number((weights(target.device)[target.long().masked_fill(~real, 0)] * real).sum())}

    return Criterion(sums, counts, loss_name=name, ignore_index=ignore_index)


def _outputs(output: Any) -> tuple[Tensor, ...]:
    """The tensors a loss looks at: several when the model returns a tuple (pairs, triplets, mean and variance)."""
    return tuple(wide(part) for part in output) if isinstance(output, tuple | list) else (wide(logits(output)),)
