"""Are the targets of a batch what the task says? Wrong ones are named by row and value before a device prints an assertion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from danlu import messages
from danlu.core import Batch
from danlu.data.source import Facts
from danlu.errors import BadInput, Sentence


def check_targets(facts: Facts, batch: Batch, ignore_index: int = -100, probabilities: bool = False) -> None:
    """Raise BadInput, with row and value, for the first wrong target: a label outside 0..classes-1 (other than `ignore_index`), a
    multi-label or soft target (or, where the loss wants `probabilities`, any) outside 0..1, a number to regress that is not
    finite. Targets that are no tensor (a dict) are not looked at.
    """
    target = batch.targets
    if not isinstance(target, Tensor):
        return
    if facts.task == "regress" and not probabilities:
        _first(messages.TARGET_NOT_FINITE, batch, lambda x: ~x.isfinite())
    elif facts.task == "multilabel" or target.is_floating_point():
        _first(messages.TARGET_NOT_PROBABILITY, batch, lambda x: ~((x >= 0) & (x <= 1)))
    else:
        outside = lambda x: ((x < 0) | (x >= facts.outputs)) & (x != ignore_index)
        _first(messages.LABEL_RANGE, batch, outside, high=facts.outputs - 1, ignored=ignore_index)


def _first(sentence: Sentence, batch: Batch, wrong: Callable[[Tensor], Tensor], **values: Any) -> None:
    bad = wrong(batch.targets)
    if bool(bad.any()):
        place = bad.nonzero()[0].tolist()
        value = batch.targets[tuple(place)].item()
        row = ", ".join([str(int(batch.ids[place[0]])), *map(str, place[1:])])
        raise BadInput(sentence, row=row, value=value, **values)
