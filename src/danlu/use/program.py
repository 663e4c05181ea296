"""A trained model as a program from rows to scores, for any number of rows: traced, written, read back, and checked."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from danlu import messages
from danlu.errors import Refused, Trouble
from danlu.losses.criterion import forward
from danlu.use.load import Trained

SIZES = (2, 5)  # rows of the two batches that an export is checked with
TOLERANCE = 1e-4  # largest difference, over the largest score, that another way to compute the same may make in float32


class Scores(nn.Module):
    """A model from rows, as positional tensors, to the scores that metrics look at; on the CPU, in float32, its own copy."""

    def __init__(self, trained: Trained, names: tuple[str, ...]):
        super().__init__()
        self.model = copy.deepcopy(trained.model).cpu().float().eval()
        self.point, self.names = trained.criterion.point, names

    def forward(self, *rows: Tensor) -> Tensor:
        inputs = dict(zip(self.names, rows)) if self.names else rows[0]
        output = self.point(forward(self.model, inputs))
        return getattr(output, "logits", output)


def example(trained: Trained, rows: int, seed: int = 0) -> dict[str, Tensor]:
    """Made rows of the form that the model takes, by name ("rows" where it takes one tensor). Raises Refused where that is not known."""
    facts, draw = trained.facts, torch.Generator().manual_seed(seed)
    if trained.form.get("kind") == "table":
        sizes = facts.cardinalities
        ids = [torch.randint(0, size, (rows, 1), generator=draw) for size in sizes]
        category = torch.cat(ids, 1) if ids else torch.empty(rows, 0, dtype=torch.int64)
        return {"numeric": torch.randn(rows, *facts.shape, generator=draw), "category": category}
    if trained.form.get("kind") in (None, "arrays") and not facts.shape:
        raise Refused(messages.EXPORT_UNKNOWN_INPUT)
    if facts.vocab is not None:
        return {"rows": torch.randint(0, facts.vocab, (rows, *facts.shape), generator=draw)}
    return {"rows": torch.randn(rows, *facts.shape, generator=draw)}


def exampled(trained: Trained) -> tuple[Scores, list[dict[str, Tensor]], list[Tensor]]:
    """The model to be written, two batches for it, and its scores for them."""
    batches = [example(trained, rows, rows) for rows in SIZES]
    names = () if list(batches[0]) == ["rows"] else tuple(batches[0])
    scores = Scores(trained, names)
    with torch.no_grad():
        return scores, batches, [scores(*batch.values()) for batch in batches]


def check(to: str, compute: Callable[[Mapping[str, Tensor]], Any], batches: list[dict[str, Tensor]], expected: list[Tensor]) -> float:
    """The largest difference of `compute` from what is expected. Raises Refused above the tolerance, or for other shapes."""
    worst = 0.0
    for batch, scores in zip(batches, expected):
        found = torch.as_tensor(compute(batch))
        if found.shape != scores.shape:
            raise Refused(messages.EXPORT_SHAPE, to=to, found=tuple(found.shape), expected=tuple(scores.shape))
        worst = max(worst, float((found - scores).abs().max()))
        if not worst <= TOLERANCE * max(1.0, float(scores.abs().max())):
            raise Refused(messages.EXPORT_DIFFERS, to=to, difference=worst)
    return worst


def torch_export(trained: Trained, path: Path) -> float:
    """Write a program of torch.export, any number of rows, and check it; the largest difference."""
    scores, batches, expected = exampled(trained)
    rows = torch.export.Dim("rows")
    program = traced(
        "torch-export", lambda: torch.export.export(scores, tuple(batches[0].values()), dynamic_shapes=dynamic(batches[0], rows))
    )
    traced("torch-export", lambda: torch.export.save(program, path))
    back = torch.export.load(path).module()
    with torch.no_grad():
        return check("torch-export", lambda batch: back(*batch.values()), batches, expected)


def dynamic(batch: Mapping[str, Tensor], rows: Any) -> Any:
    """The first dimension of every input is free."""
    return {"rows": tuple({0: rows} for _ in batch)}


def traced(to: str, trace: Callable[[], Any]) -> Any:
    """What `trace` makes. Raises Refused with torch's own reason where the model cannot be traced."""
    log, level = logging.getLogger("torch.onnx"), logging.getLogger("torch.onnx").level
    try:
        log.setLevel(logging.ERROR)
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of torch's own making
            return trace()
    except Trouble:
        raise
    except Exception as error:  # torch raises errors of many kinds here
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise Refused(messages.EXPORT_UNTRACED, to=to, reason=reason[:300]) from error
    finally:
        log.setLevel(level)
