"""What is claimed of every recipe: it trains to finite numbers or is refused with a sentence before the first step; it resumes bit for bit;
its data form is the recipe again; and in float64 splitting its batches changes nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from danlu import messages
from danlu.core import Recipe, Run, Technique
from danlu.describe import json_lines, recipe_file, yaml12
from danlu.describe.forms import from_data, to_data
from danlu.errors import Trouble
from danlu.keys import generator
from danlu.techniques.model.ghost_norm import GhostNorm
from danlu.testing.compare import Course, gradients, next_batches, steps
from danlu.testing.pairs import refusal
from danlu.testing.resume import resumes

BOUND = 1e-9


def comes_back(recipe: Recipe) -> None:
    """The data form, as YAML and as JSON, is the recipe again."""
    form = to_data(recipe)
    assert from_data(form) == recipe
    assert from_data(*yaml12.read(recipe_file.write(form), "x")) == recipe
    assert from_data(*json_lines.read(json_lines.write(form), "x")) == recipe


def trains(recipe: Recipe, at: int, finite: bool = True) -> Trouble | Course:
    """Train, and resume at step `at` (of those that there are); or the refusal."""
    trouble = refusal(recipe)
    if trouble is not None:
        return trouble
    with Run(recipe) as run:
        total = run.total
    course = resumes(recipe, at=[at % (total + 1)])
    unsound = [step for step, loss, *_ in course.reports if not math.isfinite(float(loss))]
    assert course.reports
    assert not (finite and unsound), f"the loss is not finite at steps {unsound}"
    return course


def same_split(recipe: Recipe, size: int) -> bool | None:
    """In float64, with micro-batches of `size` rows: at the same state every gradient and buffer is the same, and so is the course.

    A model with BatchNorm states a ghost size, as it is asked to. Where `size` is refused (it would part a group, or a pair) others are
    tried; None where all are. True where the course was compared to 1e-9; False where rounding alone moves it by more (a sign taken of
    nothing, as in Lion; an eps of zero), so that it says nothing: then the gradients alone are the claim (to what rounding makes of those).
    """
    whole = replace(recipe, precision="fp64", micro_batch_size=None)
    for tried in (size, 2, 4, 8, 3, 6, 10):
        if tried >= recipe.batch_size:
            continue
        split = replace(whole, micro_batch_size=tried)
        trouble = refusal(split)
        if trouble is not None and trouble.sentence is messages.GHOST_NORM:
            ghost = GhostNorm(size=tried)
            whole, split = (replace(each, techniques=(ghost, *each.techniques)) for each in (whole, split))
            trouble = refusal(split)
        if trouble is None and refusal(whole) is None:
            return _same(whole, split)
    return None


def _same(whole: Recipe, split: Recipe) -> bool:
    shaking = replace(whole, techniques=(*whole.techniques, Shaken()))
    for k in (0, 2):
        left, right = Run(whole), Run(split)
        steps(left, k)
        right.load(left.state())
        mine, other = next_batches(left), next_batches(right)
        if mine:
            own = gradients(left, mine)
            far = difference(own, gradients(right, other))
            if far > BOUND:  # an iterative solver, say, multiplies rounding
                trembling = Run(shaking)
                trembling.load(left.state())
                allowed = 1e4 * difference(own, gradients(trembling, next_batches(trembling)))
                assert far <= allowed, f"gradients of step {k} differ by {far}, where rounding makes {allowed / 1e4}"
            apart_by = difference(pending(left), pending(right))
            assert apart_by <= BOUND, f"buffers of step {k} differ by {apart_by}"
    found = apart(whole, split)
    if found <= BOUND:
        return True
    shaken = apart(whole, shaking)
    assert found <= 1e4 * shaken, f"the courses are {found} apart, where rounding makes {shaken}"
    return False


def pending(run: Run) -> dict[str, Tensor]:
    return {str(place): tensor for place, tensor in enumerate(run.placement.buffers.pending or ())}


def difference(left: dict[str, Tensor], right: dict[str, Tensor]) -> float:
    """The largest difference of any number, as a share of the norm of all."""
    assert left.keys() == right.keys()
    scale = 1.0 + math.sqrt(sum(float(t.double().square().sum()) for t in left.values()))
    return (
        max((float((value.double() - right[name].double()).abs().max()) for name, value in left.items() if value.numel()), default=0.0)
        / scale
    )


def apart(left: Recipe, right: Recipe) -> float:
    """The largest difference of losses and of parameters and buffers, as a share of their size."""
    (losses, ends), (other_losses, other_ends) = course(left), course(right)
    if len(losses) != len(other_losses):
        return math.inf
    pairs: list[tuple[Any, Any]] = [(torch.tensor(losses), torch.tensor(other_losses)), *((ends[name], other_ends[name]) for name in ends)]
    return max(float((a.double() - b.double()).abs().max()) / (1.0 + float(a.double().abs().max())) for a, b in pairs if a.numel())


def course(recipe: Recipe) -> tuple[list[float], dict[str, Tensor]]:
    with Run(recipe) as run:
        losses = [float(report.loss) for report in run]
        return losses, {name: value.detach().clone() for name, value in run.model.state_dict().items()}


@dataclass
class Shaken(Technique):
    """Changes each gradient by about as much as rounding does."""

    changes: ClassVar = "gradients"

    def wrap_gradient(self, gradient: Any, run: Run) -> Any:
        def shaken(objective: Any, batches: Any) -> Any:
            outcome = gradient(objective, batches)
            draw = generator(run.seed, "shaken", batches[0].step)
            grads = [p.grad for p in run.trainable() if p.grad is not None]
            if grads:
                size = float(run.placement.norm(grads))
                for grad in grads:
                    grad += 1e-16 * size * torch.randn(grad.shape, generator=draw, dtype=grad.dtype)
            return outcome

        return shaken
