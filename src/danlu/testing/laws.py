"""The laws every technique must pass, as one battery: `laws(MyTrick)` in a user's own tests, and over every technique found in ours.

Each law is a function `(technique, recipe)` that raises AssertionError with a sentence. They run on a tiny classification (MLP with
BatchNorm and dropout) in one batch a step, and again without BatchNorm in two micro-batches a step: accumulation is always on trial.
"""

from __future__ import annotations

import ast
import copy
import dataclasses
import inspect
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from danlu.core import Batch, Outcome, Recipe, Report, Run, Technique
from danlu.data.source import Data, Facts, Tensors
from danlu.describe.annotations import field_types
from danlu.describe.forms import make, to_plain
from danlu.describe.places import Places, Spot
from danlu.nets.dropout import Dropout, named
from danlu.optim.first_order import SGD

SEAMS = ("model", "stream", "objective", "gradient", "update", "reports")
STEPS = 6


def tiny_net() -> nn.Module:
    """6 -> 8 -> 3 with BatchNorm and torch's own dropout."""
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 3))


def tiny_split_net() -> nn.Module:
    """6 -> 8 -> 3 with LayerNorm and keyed dropout: nothing in it depends on how a batch is split."""
    return named(nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.Tanh(), Dropout(0.2), nn.Linear(8, 3)))


def tiny_data() -> Data:
    """40 rows of three classes to train on, 16 to validate on."""
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(56, 6, generator=generator)
    y = (x[:, :3] + 0.3 * torch.randn(56, 3, generator=generator)).argmax(1)
    facts = Facts("classify", (6,), 3, labels=("a", "b", "c"), class_counts=tuple(torch.bincount(y[:40], minlength=3).tolist()), rows=40)
    return Data(Tensors(x[:40], y[:40]), facts, val=Tensors(x[40:], y[40:]))


def tiny(technique: Technique | None = None, *, split: bool = False, **fields: Any) -> Recipe:
    """The laws' recipe, with one technique; `split` trains in two micro-batches a step."""
    base: dict[str, Any] = {
        "model": tiny_split_net if split else tiny_net,
        "data": tiny_data,
        "loss": "auto",
        "optimizer": SGD(lr=0.2, momentum=0.9),
        "techniques": () if technique is None else (technique,),
        "steps": STEPS,
        "batch_size": 8,
        "micro_batch_size": 4 if split else None,
        "seed": 1,
        "device": "cpu",
    }
    return Recipe(**(base | fields))


def weights(run: Run) -> dict[str, Tensor]:
    """Copies of all parameters and buffers."""
    return {name: value.detach().clone() for name, value in run.model.state_dict().items()}


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    """Whether two sets of tensors are equal bit for bit."""
    return left.keys() == right.keys() and all(torch.equal(value, right[name]) for name, value in left.items())


def gradients(run: Run, batches: list[Batch]) -> dict[str, Tensor]:
    """One look at the gradient, by parameter name."""
    run.gradient(run.objective, batches)
    return {name: p.grad.clone() for name, p in run.model.named_parameters() if p.grad is not None}


def at_step(recipe: Recipe, steps: int) -> tuple[Run, list[Batch]]:
    """A run after `steps` steps, with the micro-batches of its next one."""
    run = Run(recipe)
    for _, _report in zip(range(steps), run):
        pass
    stream = iter(run.wrap("stream", run.placement.stream(run.data.train, run.plan, run.step, run.total)))
    batches = run._take(stream)
    assert batches, f"{', '.join(map(_name, recipe.techniques))}: asked for {steps} steps, the run went on to its end"
    run.placement.begin()
    return run, batches


# ---- the laws -------------------------------------------------------------


def description(technique: Technique, recipe: Recipe) -> None:
    """1: a dataclass of plain values; repr and the data form rebuild it; no logic in the constructor."""
    kind = type(technique)
    name = kind.__name__
    assert dataclasses.is_dataclass(kind), f"{name} is not a dataclass"
    own = vars(kind)
    assert "__post_init__" not in own, f"{name} has logic in __post_init__"
    assert kind.__init__.__code__.co_filename == "<string>", f"{name} writes its own __init__"  # what dataclass generates
    for field in dataclasses.fields(technique):
        assert _plain(getattr(technique, field.name)), f"{name}.{field.name} is not a plain value"
    rebuilt = eval_repr(technique)
    assert rebuilt == technique, f"repr of {name} does not rebuild it: {technique!r}"
    form = {key: to_plain(annotation, getattr(technique, key)) for key, (annotation, _) in field_types(kind).items()}
    assert make(kind, form, Spot(Places())) == technique, f"the data form of {name} does not rebuild it: {form}"


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


def resume(technique: Technique, recipe: Recipe) -> None:
    """7: n steps equal k steps, saved, loaded into a new run, and n - k more, bit for bit, for every k; reports, averages and stops too."""
    whole = Run(recipe)
    reports = [_said(report) for report in whole]
    for k in range(len(reports) + 1):
        half = Run(recipe)
        head = [_said(report) for _, report in zip(range(k), half)]
        missing = [key for key in technique.state for t in half.techniques if type(t) is type(technique) and not hasattr(t, key)]
        assert not missing, f"{_name(technique)}: after {k} steps it has no {', '.join(missing)}, which it declares as state"
        state = copy.deepcopy(half.state())
        again = Run(recipe)
        again.load(state)
        found = head + [_said(report) for report in again]
        assert found == reports, f"{_name(technique)}: resumed at step {k} it goes on differently: {found} != {reports}"
        assert same(weights(again), weights(whole)), f"{_name(technique)}: resumed at step {k} it ends with other weights"
        assert same(again.kept_weights("auto") or {}, whole.kept_weights("auto") or {}), (
            f"{_name(technique)}: resumed at step {k} it ends with another average"
        )


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
            [_said(report) for report in Run(replace(quiet, techniques=()))] != [_said(report) for report in Run(quiet)]
            for quiet in (recipe, replace(recipe, validate=False))  # with the validation that every run has, and without it
        )
    elif changes == "files":
        found = any("latest" in report.save for report in own_reports)
    elif changes == "memory":
        mine = next(t for t in own.techniques if type(t) is type(technique))
        found = any(_holds_tensor(getattr(mine, name)) for name in mine.state)
    else:
        found = changes == "time"
    assert found, f"{_name(technique)} says that it changes {changes}, and nothing of it was seen"


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


def eval_repr(value: Any) -> Any:
    """What the repr of a dataclass of plain values says, built again from its syntax tree (nothing is executed)."""
    text = re.sub(r"[\w.]+\.<locals>\.", "", repr(value))  # a class that was made in a function
    try:
        return _built(ast.parse(text, mode="eval").body, value)
    except (SyntaxError, TypeError, ValueError) as error:
        raise AssertionError(f"repr of {type(value).__name__} does not rebuild it: {value!r}") from error


def _built(node: ast.expr, like: Any) -> Any:
    """The value that `node` writes; a call makes another of the dataclass that `like` is."""
    if isinstance(node, ast.Call):
        return type(like)(**{word.arg: _built(word.value, getattr(like, word.arg)) for word in node.keywords if word.arg})
    if isinstance(node, ast.Tuple):
        return tuple(_built(item, part) for item, part in zip(node.elts, like, strict=True))
    if isinstance(node, ast.UnaryOp):
        return -_built(node.operand, like)
    return math.inf if isinstance(node, ast.Name) and node.id == "inf" else ast.literal_eval(node)


def _plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(_plain(item) for item in value)
    return value is None or isinstance(value, bool | int | float | str) or dataclasses.is_dataclass(value)


def _said(report: Report) -> tuple[int, str, str, list[str]]:
    """What a report says, in a form that can be compared, NaNs too."""
    return report.step, repr(float(report.loss)), repr(report.metrics), sorted(report.save)


def _holds_tensor(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_tensor, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_holds_tensor, value))
    return isinstance(value, Tensor)


def _name(technique: Technique) -> str:
    return type(technique).__name__
