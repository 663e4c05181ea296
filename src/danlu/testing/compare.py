"""What two trainings are compared by: tensors bit for bit, gradients, reports, and whole courses from a step to the end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from danlu.core import Batch, Recipe, Report, Run, Technique
from danlu.run.tree import raw

Said = tuple[int, str, str, list[str]]


class Course(NamedTuple):
    """What a training said, and where it ended: the digest of every tensor. Plain values, so that processes can compare theirs."""

    reports: list[Said]
    weights: dict[str, str]  # parameters and buffers
    averages: dict[str, str]  # what a technique keeps beside them


def said(report: Report) -> Said:
    """What a report says, in a form that can be compared, NaNs too."""
    return report.step, repr(float(report.loss)), repr(report.metrics), sorted(report.save)


def rest(run: Run, head: Iterable[Said] = ()) -> Course:
    """Train to the end; `head` is what was said before."""
    reports = [*head, *map(said, run)]
    return Course(reports, digests(weights(run)), digests(averages(run)))


def steps(run: Run, count: int) -> list[Said]:
    """Train `count` steps, or to the end if that comes before."""
    return [said(report) for _, report in zip(range(count), run)]


def weights(run: Run) -> dict[str, Tensor]:
    """Copies of all parameters and buffers, whole."""
    return {name: value.clone() for name, value in run.placement.weights(run.model).items()}


def averages(run: Run) -> dict[str, Tensor]:
    """Copies of what a technique keeps beside the weights, whole."""
    found = run.placement.gathered(run.kept_weights("auto") or {})
    return {name: value.clone() for name, value in found.items()}


def digests(tensors: dict[str, Tensor]) -> dict[str, str]:
    """Type, shape and a digest of the bytes of each tensor."""
    return {
        name: f"{t.dtype} {tuple(t.shape)} {hashlib.sha256(raw(t.detach()).numpy().tobytes()).hexdigest()[:16]}"
        for name, t in tensors.items()
    }


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    """Whether two sets of tensors are equal bit for bit."""
    return left.keys() == right.keys() and all(torch.equal(value, right[name]) for name, value in left.items())


def gradients(run: Run, batches: list[Batch]) -> dict[str, Tensor]:
    """One look at the gradient, by parameter name."""
    run.gradient(run.objective, batches)
    return {name: run.placement.full(p.grad).clone() for name, p in run.model.named_parameters() if p.grad is not None}


def at_step(recipe: Recipe, count: int) -> tuple[Run, list[Batch]]:
    """A run after `count` steps, with the micro-batches of its next one."""
    run = Run(recipe)
    steps(run, count)
    batches = next_batches(run)
    assert batches, f"{named(recipe.techniques)}: asked for {count} steps, the run went on to its end"
    return run, batches


def next_batches(run: Run) -> list[Batch]:
    """The micro-batches of the run's next step, which begins."""
    stream: Any = iter(run.wrap("stream", run.placement.stream(run.data.train, run.plan, run.step, run.total)))
    batches = run._take(stream)
    run.placement.begin()
    return batches


def named(techniques: Iterable[Technique]) -> str:
    """The techniques' names, for a sentence."""
    return ", ".join(type(technique).__name__ for technique in techniques) or "no technique"


def holds_tensor(value: Any) -> bool:
    """Whether a tensor is anywhere in a tree of values."""
    if isinstance(value, dict):
        return any(map(holds_tensor, value.values()))
    if isinstance(value, list | tuple):
        return any(map(holds_tensor, value))
    return isinstance(value, Tensor)
