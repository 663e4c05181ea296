"""What optimisers that set their own rate share: it is told beside what validation measures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from danlu.core import Technique

if TYPE_CHECKING:
    from danlu.core import Reports, Run


class OwnRate(Technique):
    """Adds `rate`, what the optimiser makes of the learning rate, to each report that has metrics."""

    neutral = "the rate is what the optimiser finds"
    changes = "reports"

    def wrap_reports(self, reports: Reports, run: Run) -> Reports:
        optimizer: Any = run.optimizer
        for report in reports:
            if report.metrics:
                report.metrics["rate"] = optimizer.rate()
            yield report


def scalar(value: float, params: list[Tensor]) -> Tensor:
    """A 0-d tensor where the parameters are, in float64 if they are, else in float32."""
    first = params[0]
    return torch.tensor(value, dtype=torch.float64 if first.dtype == torch.float64 else torch.float32, device=first.device)


def dot(left: Sequence[Tensor], right: Sequence[Tensor]) -> Tensor:
    """The inner product of two lists of tensors: a 0-d tensor."""
    return torch.stack([torch.sum(product) for product in torch._foreach_mul(list(left), list(right))]).sum()


def length(tensors: list[Tensor]) -> Tensor:
    """The sum of all magnitudes: a 0-d tensor."""
    return torch.stack(torch._foreach_norm(tensors, 1)).sum()
