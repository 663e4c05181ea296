"""The loss that a model returns itself (`.loss`, as the models of transformers do when the inputs have "labels").

It is a mean, over something that the model does not say: rows, labels, or labels after a shift by one position (-100 is no label).
The loop needs a sum, so `find` tries which count makes the means of two parts add up to the whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from danlu import messages
from danlu.core import Batch, Loss
from danlu.errors import Refused
from danlu.losses.criterion import forward, number, term
from danlu.losses.parts import parts

_IGNORED = -100
_NOISE = 1e-4  # relative: what float32 sums in another order may differ by


def returned_loss(output: Any) -> Tensor | None:
    """The loss in a model's output, if it has one."""
    if isinstance(output, Tensor):
        return None
    found = output.get("loss") if isinstance(output, Mapping) else getattr(output, "loss", None)
    return found if isinstance(found, Tensor) else None


class Returned:
    """Which count the model's own loss is a mean over; None until `find` has looked at the model."""

    per: str | None = None

    def sums(self, output: Any, loss: Tensor, batch: Batch) -> Loss:
        """The sum that the mean was made from."""
        if self.per is None:
            raise Refused(messages.RETURNED_UNCHECKED)
        count = len(batch.ids) if self.per == "rows" else self.counts(batch)[self.per]
        count = torch.as_tensor(count, device=loss.device)
        scores = output.get("logits") if isinstance(output, Mapping) else getattr(output, "logits", None)
        if isinstance(scores, Tensor) and scores.requires_grad:
            # a mean over no labels is 0 / 0 and so is its slope; both count as zero
            scores.register_hook(lambda grad: torch.where(count > 0, grad, 0))
        return term("loss", torch.where(count > 0, loss.float() if loss.dtype.itemsize < 4 else loss, 0) * count, self.per)

    @staticmethod
    def counts(batch: Batch) -> dict[str, Any]:
        """{"labels", "shifted_labels"} of a batch whose inputs have integer labels, else nothing."""
        labels = batch.inputs.get("labels") if isinstance(batch.inputs, dict) else None
        if not isinstance(labels, Tensor) or labels.is_floating_point():
            return {}
        real = labels != _IGNORED
        counts = {"labels": number(torch.count_nonzero(real))}
        return counts if labels.ndim < 2 else {**counts, "shifted_labels": number(torch.count_nonzero(real[:, 1:]))}

    def find(self, model: nn.Module, batch: Batch) -> None:
        """Settle `per`. Raises Refused if no count makes the parts add up, or if several do and the batch cannot tell them apart."""
        looks = []
        try:
            for part in parts(_uneven(batch)):
                mean = float(cast(Tensor, returned_loss(forward(model, part.inputs))))
                looks.append((mean, {"rows": len(part.ids)} | self.counts(part)))
        except IndexError as error:  # the model takes -100 for a class
            raise Refused(messages.RETURNED_NOT_MEAN, model=type(model).__name__) from error
        (whole, counts), *halves = looks
        errors = {}
        for per, count in counts.items():
            apart = sum(mean * float(count_of[per]) for mean, count_of in halves)
            errors[per] = abs(whole * float(count) - apart) / max(abs(whole) * float(count), 1e-30)
        best, *others = sorted(errors, key=lambda per: errors[per] if math.isfinite(errors[per]) else math.inf)
        if not errors[best] <= _NOISE:
            raise Refused(messages.RETURNED_NOT_MEAN, model=type(model).__name__)
        if others and errors[others[0]] < 10 * max(errors[best], 1e-6):
            raise Refused(messages.RETURNED_UNCLEAR, model=type(model).__name__, counts=f"{best}, {others[0]}")
        self.per = best


def _uneven(batch: Batch) -> Batch:
    """The batch with some labels masked, so that rows differ in how many they have and the counts can be told apart."""
    labels = batch.inputs.get("labels") if isinstance(batch.inputs, dict) else None
    if not isinstance(labels, Tensor) or labels.is_floating_point():
        return batch
    labels = labels.clone()
    if labels.ndim == 1:
        labels[-1] = _IGNORED
    else:
        labels[0, (labels.shape[1] + 1) // 2 :] = _IGNORED
    return replace(batch, inputs={**batch.inputs, "labels": labels})
