"""A model's loss and metrics over rows: what validation, the final test and `evaluate` all use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from danlu.metrics.metric import Metric, metrics_for

if TYPE_CHECKING:
    from danlu.core import Batch, Loss, Run


def score(run: Run, rows: Any, prefix: str, weights: dict[str, Tensor] | None = None) -> dict[str, float | None]:
    """`{prefix}loss` and every metric of the recipe over `rows`, at `weights` (None: the model's own). None for an undefined metric."""
    criterion = run.criterion
    metrics = metrics_for(run.recipe.metrics, run.data.facts)

    def look(model: Any, batch: Batch) -> dict[str, Any]:
        output, loss = criterion.look(model, batch)
        return statistics(metrics, output, loss, batch)

    return finished(metrics, run.placement.evaluate(run.model, look, rows, run.plan.at_once, criterion.counts, weights), prefix)


def statistics(metrics: Sequence[Metric], output: Any, loss: Loss, batch: Batch) -> dict[str, Any]:
    """What adds up over batches to the loss and the metrics; a list of one tensor is concatenated instead."""
    found: dict[str, Any] = {}
    for term, (value, per) in loss.terms.items():
        found[f"sum/{term}"] = value.double()
        found[f"count/{term}"] = _number(batch.counts[per], value)
    for place, metric in enumerate(metrics):
        found.update({f"{place}/{key}": value for key, value in metric.stats(output, batch).items()})
    return found


def finished(metrics: Sequence[Metric], total: Mapping[str, Any], prefix: str) -> dict[str, float | None]:
    """The loss and the metrics that added-up statistics amount to."""
    terms = [key.removeprefix("sum/") for key in total if key.startswith("sum/")]
    scores: dict[str, float | None] = {
        f"{prefix}loss": sum(float(total[f"sum/{t}"]) / max(float(total[f"count/{t}"]), 1e-30) for t in terms)
    }
    for place, metric in enumerate(metrics):
        stats = {key.split("/", 1)[1]: value for key, value in total.items() if key.startswith(f"{place}/")}
        scores.update({prefix + name: value for name, value in metric.finish(stats).items()})
    return scores


def _number(count: Any, like: Tensor) -> Tensor:
    return count.double() if isinstance(count, Tensor) else like.new_tensor(count).double()
