"""The laws every technique must pass, as one battery: `laws(MyTrick)` in a user's own tests, and over every technique found in ours.

Each law is a function `(technique, recipe)` that raises AssertionError with a sentence. They run on a tiny classification (MLP with
BatchNorm and dropout) in one batch a step, and again without BatchNorm in two micro-batches a step: accumulation is always on trial.
The law of pairs then tries the technique with every one that is found.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch

from danlu.core import Outcome, Recipe, Report, Run, Technique
from danlu.cost import activations
from danlu.testing.compare import at_step, gradients, holds_tensor, said, same, weights
from danlu.testing.description import description
from danlu.testing.pairs import pairs
from danlu.testing.resume import resume
from danlu.testing.tiny import STEPS, tiny

SEAMS = ("model", "stream", "objective", "gradient", "update", "reports")


def gradient(technique: Technique, recipe: Recipe) -> None:
    """2: looking at the gradient leaves parameters and buffers bit-identical."""
    for steps in (0, 2):
        run, batches = at_step(recipe, steps)
        before = weights(run)
        run.gradient(run.objective, batches)
        assert same(before, weights(run)), f"{_name(technique)}: parameters or buffers moved while the gradient was taken (step {steps})"


def reevaluation(technique: Technique, recipe: Recipe) -> None:
    """3: asking twice in a step gives the same answer, dropout included."""
    for steps in (0, 2):
        run, batches = at_step(recipe, steps)
        first = gradients(run, batches)
        again = gradients(run, batches)
        assert same(first, again), f"{_name(technique)}: a second look at the gradient differs from the first (step {steps})"


def update(technique: Technique, recipe: Recipe) -> None:
    """4: parameters move, or the outcome says why not."""
    run, batches = at_step(recipe, 0)
    before = weights(run)
    outcome = run.update(lambda: run.gradient(run.objective, batches))
    assert not same(before, weights(run)) or not bool(outcome.finite), f"{_name(technique)}: an update moved nothing and said nothing"


def reports(technique: Technique, recipe: Recipe) -> None:
    """5: the inner reports come out once each, in order, up to where it stops; closing the outer generator closes the inner one."""
    run = Run(recipe)
    closed: list[bool] = []
    zero = Outcome({"loss": (torch.zeros(()), "once")}, {"once": 1.0}, torch.zeros(()))

    def inner() -> Iterator[Report]:
        try:
            for step in range(1, 1 + STEPS):
                run.step = step
                yield Report(step, step / run.plan.steps_per_epoch, zero, 0.1)
        finally:
            closed.append(True)

    own = next(t for t in run.techniques if type(t) is type(technique))
    seen = [report.step for report in own.wrap_reports(inner(), run)]
    assert seen and seen == list(range(1, 1 + STEPS))[: len(seen)], f"{_name(technique)}: reports 1 to {STEPS} came out as {seen}"
    run, closed = Run(recipe), []
    own = next(t for t in run.techniques if type(t) is type(technique))
    outer = own.wrap_reports(inner(), run)
    next(outer, None)
    if hasattr(outer, "close"):
        outer.close()
    del outer
    assert closed, f"{_name(technique)}: closing its reports leaves the inner ones open"


def neutral(technique: Technique, recipe: Recipe) -> None:
    """6: `neutral` names values that change nothing, bit for bit, buffers included; or it is a sentence that says why there are none."""
    values = type(technique).neutral
    if isinstance(values, str):
        assert len(values) > 10, f"{_name(technique)}: `neutral` must name field values that change nothing, or say why there are none"
        return
    plain = Run(replace(recipe, techniques=()))
    quiet = Run(replace(recipe, techniques=(replace(cast(Any, technique), **values),)))
    losses = [[float(report.loss) for report in run] for run in (plain, quiet)]
    assert losses[0] == losses[1] and same(weights(plain), weights(quiet)), f"{_name(technique)}({dict(values)}) changes the training"


def alive(technique: Technique, recipe: Recipe) -> None:
    """9: what the technique says that it changes is seen to change."""
    changes = type(technique).changes
    plain, own = Run(replace(recipe, techniques=())), Run(recipe)
    own_reports = list(own)
    for _ in plain:
        pass
    if changes == "parameters":
        found = not same(weights(plain), weights(own))
    elif changes == "gradients":
        (a, batches), (b, own_batches) = at_step(replace(recipe, techniques=()), 0), at_step(recipe, 0)
        found = not same(gradients(a, batches), gradients(b, own_batches))
    elif changes == "reports":
        found = any(
            [said(report) for report in Run(replace(quiet, techniques=()))] != [said(report) for report in Run(quiet)]
            for quiet in (recipe, replace(recipe, validate=False))  # with the validation that every run has, and without it
        )
    elif changes == "files":
        found = any("latest" in report.save for report in own_reports)
    elif changes == "memory":
        mine = next(t for t in own.techniques if type(t) is type(technique))
        found = any(holds_tensor(getattr(mine, name)) for name in mine.state) or _kept(replace(recipe, techniques=())) != _kept(recipe)
    else:
        found = changes == "time"
    assert found, f"{_name(technique)} says that it changes {changes}, and nothing of it was seen"


def _kept(recipe: Recipe) -> int:
    run, batches = at_step(recipe, 0)
    return activations(run, batches[0])


def reach(technique: Technique, recipe: Recipe) -> None:
    """10: it overrides a seam, and lives in the folder of one that it overrides."""
    kind = type(technique)
    wraps = [seam for seam in SEAMS if getattr(kind, f"wrap_{seam}") is not getattr(Technique, f"wrap_{seam}")]
    assert wraps, f"{_name(technique)} overrides no seam"
    folder = Path(inspect.getfile(kind)).parent.name
    if folder in SEAMS:
        assert folder in wraps, f"{_name(technique)} lives in techniques/{folder} but wraps {', '.join(wraps)}"


LAWS: tuple[Callable[[Technique, Recipe], None], ...] = (
    description, gradient, reevaluation, update, reports, neutral, resume, alive, reach,
)  # fmt: skip


def laws(technique: Technique | type[Technique], recipe: Callable[..., Recipe] = tiny) -> None:
    """Run every law on a technique (a class: on its `example()`); AssertionError names the first that fails.

    recipe: like `tiny`, makes the recipe to try it in, for a technique that needs other data or another model.
    """
    example = technique.example() if isinstance(technique, type) else technique
    with torch.random.fork_rng(devices=[]):
        for split in (False, True):
            for law in LAWS:
                if law is not alive or not split:  # a technique may have nothing to do in one of the two
                    law(example, recipe(example, split=split))
        pairs(example, recipe)


def _name(technique: Technique) -> str:
    return type(technique).__name__
