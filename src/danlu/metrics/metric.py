"""What a metric is: statistics that add up over batches and processes, and the number they amount to."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from danlu import messages
from danlu.core import Batch
from danlu.data.source import Facts
from danlu.errors import BadInput, Sentence


@dataclass(frozen=True)
class Metric:
    """A metric made concrete.

    stats(output, batch): tensors to sum over batches and processes; a list of one tensor is concatenated along dim 0 instead.
    finish(stats): {name: value}, from the summed and concatenated tensors; None (never NaN) where the data leave it undefined.
    undefined: the sentence that says why it is None.
    """

    name: str
    stats: Callable[[Any, Batch], dict[str, Any]]
    finish: Callable[[dict[str, Tensor]], dict[str, float | None]]
    higher_is_better: bool
    undefined: Sentence


def metrics_for(wishes: Sequence[Any], facts: Facts) -> tuple[Metric, ...]:
    """The metrics of a recipe: descriptions, their classes, or ready `Metric`s; none stands for the task's usual ones.

    Usual: classify: accuracy (and AUROC of two classes); multilabel: F1; regress: RMSE and R2; language: perplexity (and bits per byte if
    the data know the bytes of a token); masked_language: perplexity. Raises BadInput for what is no metric, and for two of one name.
    """
    metrics: list[Metric] = []
    for wish in wishes or _usual(facts):
        wish = wish() if isinstance(wish, type) else wish
        metric = wish if isinstance(wish, Metric) else wish(facts) if callable(wish) else None
        if not isinstance(metric, Metric):
            raise BadInput(messages.NOT_A_METRIC, found=repr(wish))
        if any(metric.name == other.name for other in metrics):
            raise BadInput(messages.METRIC_TWICE, metric=metric.name)
        metrics.append(metric)
    return tuple(metrics)


def defined(value: float | Tensor) -> float | None:
    """The value as a number, or None if it is not finite."""
    value = float(value)
    return value if math.isfinite(value) else None


def ratio(above: float | Tensor, below: float | Tensor) -> float | None:
    """above / below, or None when that is not a finite number."""
    return defined(float(above) / float(below)) if float(below) else None


def _usual(facts: Facts) -> tuple[Any, ...]:
    from danlu.metrics.classification import AUROC, F1, Accuracy
    from danlu.metrics.language import BitsPerByte, Perplexity
    from danlu.metrics.regression import R2, RMSE

    if facts.task == "language":
        return (Perplexity(), BitsPerByte()) if facts.bytes_per_token else (Perplexity(),)
    if facts.task == "classify":
        return (Accuracy(), AUROC()) if facts.outputs == 2 else (Accuracy(),)
    usual = {"multilabel": (F1(),), "regress": (RMSE(), R2()), "masked_language": (Perplexity(),)}
    if facts.task not in usual:
        raise BadInput(messages.NO_USUAL_METRIC, task=facts.task)
    return usual[facts.task]
