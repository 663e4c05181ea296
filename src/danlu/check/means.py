"""The losses that have a formula, as the mean over a batch that a textbook writes: without sums, and without denominators."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from danlu.data.source import Facts
from danlu.describe.user_file import unwrapped
from danlu.losses.adapt import MeanLoss
from danlu.losses.classification import BinaryCrossEntropy, CrossEntropy
from danlu.losses.regression import MAE, MSE, Huber

Mean = Callable[[Any, Any], Tensor | None]
SHAPED = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits")
_MODULES = {nn.MSELoss: "mse_loss", nn.L1Loss: "l1_loss", nn.SmoothL1Loss: "smooth_l1_loss", nn.HuberLoss: "huber_loss",
            nn.BCELoss: "binary_cross_entropy", nn.BCEWithLogitsLoss: "binary_cross_entropy_with_logits",
            nn.CrossEntropyLoss: "cross_entropy", nn.NLLLoss: "nll_loss"}  # fmt: skip


def mean_of(loss: Any, facts: Facts) -> Mean | None:
    """The mean of (output, targets), which may still be None for an output of another form; None for a loss known by its sums only."""
    loss = unwrapped(loss)
    loss = loss() if isinstance(loss, type) else loss
    if isinstance(loss, str):
        usual = {"multilabel": BinaryCrossEntropy(), "regress": MSE()}
        loss = usual.get(facts.task, CrossEntropy())
    if isinstance(loss, MeanLoss):
        return loss.f
    if isinstance(loss, CrossEntropy):
        return _cross_entropy(loss, facts)
    if isinstance(loss, BinaryCrossEntropy):
        return _of_logits(functools.partial(_binary, loss.pos_weight))
    if isinstance(loss, MSE | MAE | Huber):
        own = {MSE: F.mse_loss, MAE: F.l1_loss}.get(type(loss)) or functools.partial(F.huber_loss, delta=getattr(loss, "delta", 1.0))
        return _of_logits(lambda output, target: own(_like(output, target), target))
    return _torchs(loss, facts)


def _of_logits(mean: Callable[[Tensor, Tensor], Tensor]) -> Mean:
    """Of a bare tensor, or of what a model of transformers calls its logits."""

    def found(output: Any, target: Any) -> Tensor | None:
        scores = output if isinstance(output, Tensor) else getattr(output, "logits", None)
        return mean(scores, target) if isinstance(scores, Tensor) and isinstance(target, Tensor) else None

    return found


def _cross_entropy(loss: CrossEntropy, facts: Facts) -> Mean:
    weights = loss.class_weights
    if weights == "balanced":
        weights = tuple(sum(facts.class_counts) / (len(facts.class_counts) * count) for count in facts.class_counts)

    def mean(scores: Tensor, target: Tensor) -> Tensor:
        at = None if weights is None else torch.tensor(weights, dtype=scores.dtype, device=scores.device)
        soft = target.is_floating_point()
        flat = target.reshape(-1, scores.shape[-1]) if soft else target.reshape(-1).long()
        ignored = -100 if soft else loss.ignore_index
        return F.cross_entropy(scores.reshape(-1, scores.shape[-1]), flat, at, ignore_index=ignored, label_smoothing=loss.label_smoothing)

    return _of_logits(mean)


def _binary(pos_weight: Any, scores: Tensor, target: Tensor) -> Tensor:
    if scores.shape == (*target.shape, 2):
        scores = scores[..., 1] - scores[..., 0]
    at = None if pos_weight is None else torch.tensor(pos_weight, dtype=scores.dtype, device=scores.device)
    return F.binary_cross_entropy_with_logits(_like(scores, target), target.to(scores.dtype), pos_weight=at)


def _torchs(loss: Any, facts: Facts) -> Mean | None:
    """A loss of torch's own, called as its owner would call it, at its reduction "mean"."""
    inner, keywords = (loss.func, loss.keywords) if isinstance(loss, functools.partial) else (loss, {})
    if isinstance(loss, nn.Module):
        name = _MODULES.get(type(loss), "")
        reduction = getattr(loss, "reduction", "")
    else:
        name = getattr(inner, "__name__", "") if getattr(inner, "__module__", "") == "torch.nn.functional" else ""
        reduction = keywords.get("reduction", "mean")
    labels = name in ("cross_entropy", "nll_loss")
    if reduction != "mean" or not (labels or name in SHAPED):
        return None

    def mean(scores: Tensor, target: Tensor) -> Tensor:
        if labels and facts.task in ("language", "masked_language") and scores.ndim > 2:  # torch wants the classes in dim 1
            scores = scores.movedim(-1, 1)
            target = target.movedim(-1, 1) if target.is_floating_point() else target
        target = target.to(scores.dtype) if target.is_floating_point() or not labels else target.long()
        scores = scores if labels else _like(scores, target)
        if isinstance(loss, nn.Module):
            return copy.deepcopy(loss).to(scores.device, scores.dtype)(scores, target)
        placed = {key: value.to(scores.device, scores.dtype) if isinstance(value, Tensor) else value for key, value in keywords.items()}
        return inner(scores, target, **placed)

    return _of_logits(mean)


def _like(output: Tensor, target: Tensor) -> Tensor:
    """A lone last column is dropped or added."""
    return output.reshape(target.shape) if output.numel() == target.numel() else output
