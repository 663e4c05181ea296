"""Law 8: several processes train what one process trains, or refuse it before the first step with the same sentence.

In float64 the final parameters, buffers and averages lie within 1e-9 of one process's, and so do all losses; the processes hold the same
bits. In float32 the gradients at the same parameters agree within 1e-5 of their norm. (Equal float32 parameters are not to be had: Adam
turns rounding noise into full steps.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from danlu.core import Recipe, Run, Technique
from danlu.errors import Trouble
from danlu.find import catalogue
from danlu.testing.compare import at_step, averages, gradients, named, weights
from danlu.testing.ranks import Ranks
from danlu.testing.tiny import tiny

PARAMETERS, GRADIENTS = 1e-9, 1e-5  # float64: largest difference; float32: relative to the norm

# How the laws' recipe of 40 rows is split: evenly; so that micro-batches are of 3, 3 and 2 rows, and one process has nothing in its
# second turn; so that an epoch ends with a batch of 4 rows, one micro-batch, and a process without any row.
SPLITS: Mapping[str, Mapping[str, int]] = {
    "even": {"batch_size": 8, "micro_batch_size": 4},
    "uneven": {"batch_size": 8, "micro_batch_size": 3},
    "short": {"batch_size": 12, "micro_batch_size": 4},
}


def rows(split: str) -> Iterator[tuple[str, Recipe]]:
    """What a placement is held to the law with, under one of the `SPLITS`: the plain recipe, each technique found, each optimiser."""
    sizes: dict[str, Any] = dict(SPLITS[split])
    yield "plain", tiny(split=True, **sizes)
    for found in catalogue("technique", others=False):
        example = found.load().example()
        yield found.name, tiny(example, split=True, **sizes)
    for found in catalogue("optimizer", others=False):
        settings = {"max_iter": 3} if found.name == "lbfgs" else {}  # more on eight rows reach a flat place, where rounding decides
        yield f"optimizer {found.name}", tiny(optimizer=found.load()(**settings), split=True, **sizes)


@dataclass(frozen=True)
class Course:
    """What one process saw of a training: the losses, and the tensors at the end; or what it was refused with."""

    losses: list[float]
    tensors: dict[str, Tensor]
    refused: str = ""


def course(recipe: Recipe) -> Course:
    """Train to the end."""
    run = None
    try:
        with Run(recipe) as run:
            losses = [float(report.loss) for report in run]
            average = {f"average of {name}": value for name, value in averages(run).items()}
            return Course(losses, weights(run) | average)
    except Trouble as trouble:
        refused, at = str(trouble), run.step if run else 0
    assert at == 0, f"{named(recipe.techniques)}: refused after {at} steps: {refused}"
    return Course([], {}, refused)


def first_gradients(recipe: Recipe) -> dict[str, Tensor]:
    """The gradients of the first step."""
    return gradients(*at_step(recipe, 0))


def placement(technique: Technique, recipe: Recipe, ranks: Ranks, where: Any) -> str:
    """8: `recipe`, which holds the technique, on the placement `where`, as on one process. What both refuse it with, else ""."""
    return equal(recipe, ranks, where, named([technique]))


def equal(recipe: Recipe, ranks: Ranks, where: Any, name: str = "the recipe") -> str:
    """Hold `where` to the law. The sentence if the placement refuses the recipe, else ""; raises AssertionError if it is broken."""
    exact, single = replace(recipe, precision="fp64", placement=where), replace(recipe, precision="fp64", placement=None)
    many, one = ranks.call(course, exact), course(single)
    refused = {found.refused for found in many}
    assert len(refused) == 1, f"{name}: some processes refuse it and some do not: {refused}"
    if many[0].refused:
        return many[0].refused
    assert not one.refused, f"{name}: several processes train what one refuses: {one.refused}"
    for rank, found in enumerate(many):
        differs = [key for key, value in found.tensors.items() if not torch.equal(value, many[0].tensors[key])]
        assert not differs, f"{name}: process {rank} ends with another {', '.join(differs)} than process 0"
        assert found.losses == many[0].losses, f"{name}: process {rank} reports other losses than process 0"
    assert one.tensors.keys() == many[0].tensors.keys(), f"{name}: other tensors: {one.tensors.keys() ^ many[0].tensors.keys()}"
    far = {key: _apart(value, many[0].tensors[key]) for key, value in one.tensors.items()}
    worst = max(far, key=lambda key: far[key])
    assert far[worst] <= PARAMETERS, f"{name}: {worst} is {far[worst]:.1e} away from where one process ends (allowed {PARAMETERS:g})"
    losses = max((abs(a - b) for a, b in zip(one.losses, many[0].losses, strict=True)), default=0.0)
    assert losses <= PARAMETERS, f"{name}: a loss is {losses:.1e} away from that of one process (allowed {PARAMETERS:g})"
    rough, alone = ranks.call(first_gradients, replace(recipe, placement=where))[0], first_gradients(replace(recipe, placement=None))
    assert rough.keys() == alone.keys(), f"{name}: gradients of other parameters: {rough.keys() ^ alone.keys()}"
    norm = float(torch.stack([value.norm() for value in alone.values()]).norm())
    apart = float(torch.stack([(value - rough[key]).norm() for key, value in alone.items()]).norm())
    assert apart <= GRADIENTS * norm, f"{name}: float32 gradients are {apart / norm:.1e} of their norm away (allowed {GRADIENTS:g})"
    return ""


def _apart(left: Tensor, right: Tensor) -> float:
    """The largest difference; a NaN anywhere is infinitely far."""
    if not left.numel():
        return 0.0
    far = float((left.double() - right.double()).abs().max())
    return far if far == far else float("inf")
