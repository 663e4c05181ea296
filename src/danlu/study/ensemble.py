"""Many seeds and settings of a small model trained as one program, with the numbers of separate runs.

    found = ensemble(sweep(recipe, seeds=range(5), **{"optimizer.lr": [0.03, 0.1, 0.3]}))
    found.where(**{"optimizer.lr": 0.1}).last("val_accuracy")          # {0: 0.967, 1: 0.972, ...}

A small step is mostly overhead, which many models then share: 32 MLPs take about a tenth of the time of 32 runs on one thread
(`bench/ensemble.py`). Each member keeps the order of data, the initial weights and the dropout masks of its seed, its own schedule and
rates, and is validated when its recipe says. The same as its own `Run` within rounding (tests/study/test_ensemble.py): in float64
parameters end within 1e-9; in float32 sums are taken in another order, so losses agree to about 1e-6 at first, and part as rounding grows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

import numpy as np
import torch
from torch import Tensor

from danlu import build, messages
from danlu.core import Batch, Recipe, Run
from danlu.errors import BadInput, Refused
from danlu.find.names import Phrase
from danlu.losses.criterion import forward
from danlu.losses.parts import mapped
from danlu.metrics.metric import metrics_for
from danlu.metrics.score import finished, statistics
from danlu.study.feed import Feed
from danlu.study.members import Ensemble, Member, settings_of
from danlu.study.moves import Mover
from danlu.study.program import Program, Stacked
from danlu.study.stack import alike, kind, stacked, unstackable
from danlu.study.sweep import sweep
from danlu.techniques.reports.validate import Validate

__all__ = ["Ensemble", "Member", "ensemble", "sweep"]

EVALUATED = 1 << 15  # rows times members that are looked at together in validation


def ensemble(recipes: Iterable[Recipe], *, alone: bool = False) -> Ensemble:
    """Train all of them; those alike but for seed, rates, decays, betas, schedules and dropout rates are one program.

    alone: what cannot be stacked (techniques, losses that run the model, low precision, ...) runs as a `Run` of its own; otherwise it is
    refused, by a sentence that names the part, before any training. Raises Refused, BadInput.
    """
    recipes = list(recipes)
    if not recipes:
        raise BadInput(messages.NO_RECIPES)
    runs: list[Run] = []
    try:
        runs.extend(built(recipes))
        groups = _grouped(runs, alone)
        made: dict[int, Member] = {}
        for program, places in groups:
            chosen = [runs[place] for place in places]
            made |= zip(places, _together(chosen, program) if program else map(_by_itself, chosen))
        return Ensemble(tuple(replace(made[place], settings=own) for place, own in enumerate(settings_of(recipes))))
    finally:
        for run in runs:
            run.close()


def built(recipes: Sequence[Recipe]) -> Iterable[Run]:
    """A run of each; equal descriptions of data are read once."""
    read: list[tuple[Any, Any]] = []
    for recipe in recipes:
        data = next(
            (data for known, data in read if known is recipe.data or (type(known) is type(recipe.data) and known == recipe.data)), None
        )
        if data is None:
            data = build.data(recipe)
            read.append((recipe.data, data))
        yield Run(recipe, data=data)


Started = tuple[Stacked, Program, Feed]


def _grouped(runs: Sequence[Run], alone: bool) -> list[tuple[Started | None, list[int]]]:
    """Programs with the places of their members, each tried on its first batch; None for runs that go by themselves."""
    groups: list[tuple[Any, list[int]]] = []
    single: list[int] = []

    def apart(place: int, why: Phrase) -> None:
        if not alone:
            raise Refused(messages.NOT_STACKED, number=place + 1, part=why)
        single.append(place)

    for place, run in enumerate(runs):
        if why := unstackable(run):
            apart(place, why)
            continue
        own = kind(run)
        group = next((members for other, members in groups if other == own), None)
        if group is None:
            groups.append((own, [place]))
        else:
            group.append(place)
    found: list[tuple[Started | None, list[int]]] = []
    for _, places in groups:
        program = started([runs[place] for place in places])
        if isinstance(program, Phrase):
            for place in places:
                apart(place, program)
        else:
            found.append((program, places))
    return [*found, (None, single)]


def started(runs: Sequence[Run]) -> Started | Phrase:
    """The program of these runs, if its first step is that of each."""
    feed = Feed(runs)
    try:
        made = stacked(runs)
        if isinstance(made, Phrase):
            return made
        program, ids = Program(made, runs[0].criterion), feed.ids(0)
        kept = {name: value.clone() for name, value in made.carried.items()}
        inputs, targets = feed.fetch(0, ids)
        seeds = feed.seeds(ids, targets)
        sums, grads = program(inputs, targets, ids.to(feed.placement.device), feed.keys(0, made.draws), seeds)
        made.carried.update({name: made.carried[name].copy_(value) for name, value in kept.items()})
        made.outputs(forward, feed.placement.put(mapped(itemgetter(0), inputs)))  # validation will ask for it
    except (RuntimeError, NotImplementedError, ValueError, TypeError) as error:  # what torch says of what it cannot vectorise
        return Phrase(messages.PART_MODEL, name=type(runs[0].model).__name__, reason=str(error).strip().split("\n")[0][:200])
    loss: Any = sum(sums[name] * seeds(per) for name, per in program.terms)
    squares: Any = sum((g.double() ** 2).flatten(1).sum(1) for g in grads if g is not None)
    return alike(runs, loss, squares.sqrt()) or (made, program, feed)


def steps(runs: Sequence[Run], program: Started) -> Iterator[Tensor]:
    """The steps of the members of one program: after each, the loss of every member, [members]."""
    made, evaluate, feed = program
    names = [{id(p): name for name, p in run.model.named_parameters()} for run in runs]
    mover = Mover(made.trained, [run.optimizer for run in runs], names)
    device = feed.placement.device
    one, nothing = torch.ones((), device=device), torch.zeros((), device=device)
    for step in range(runs[0].total):
        ids = feed.ids(step)
        inputs, targets = feed.fetch(step, ids)
        seeds = feed.seeds(ids, targets)
        before = {name: value.clone() for name, value in made.carried.items()}
        sums, reached = evaluate(inputs, targets, ids.to(device), feed.keys(step, made.draws), seeds)
        shares = np.array([run.schedule(step) if run.schedule else 1.0 for run in runs])
        grads = [g for g in reached if g is not None]
        overflow = nothing.clone()
        checked = [*grads, *(sums[name].detach().clone() for name, _ in evaluate.terms)]
        torch._amp_foreach_non_finite_check_and_unscale_(checked, overflow, one)
        sound = None
        if overflow.item():  # rare: who it is stays where it is
            fine = torch.stack([value.isfinite().flatten(1).all(1) if value.dim() > 1 else value.isfinite() for value in checked]).all(0)
            sound = fine.cpu().numpy()
            for name, value in before.items():
                made.carried[name][~fine] = value[~fine]
        mover.move(reached, shares, sound)
        yield sum((sums[name] * seeds(per) for name, per in evaluate.terms), start=nothing)


def _together(runs: Sequence[Run], program: Started) -> Iterable[Member]:
    """Train the members of one program."""
    first, made = runs[0], program[0]
    validate = next((t for t in first.techniques if isinstance(t, Validate)), None)
    every = (validate.every or first.plan.steps_per_epoch) if validate else first.total + 1
    first.kept_weights(validate.weights if validate else "raw")  # refuses an average that nobody keeps
    losses: list[Tensor] = []
    scores: list[dict[str, dict[int, float | None]]] = [{} for _ in runs]
    for step, loss in enumerate(steps(runs, program), 1):
        losses.append(loss)
        if step % every == 0 or (validate and step == first.total):
            for own, values in zip(scores, _validated(runs, made)):
                for name, value in values.items():
                    own.setdefault(name, {})[step] = value
    history = torch.stack(losses).double().cpu()
    names = first.placement.state(first.model, first.optimizer)["model"]
    for k, run in enumerate(runs):
        yield Member(run.recipe, history[:, k].clone(), scores[k], {name: _of_member(made, name, k) for name in names})


def _of_member(made: Stacked, name: str, k: int) -> Tensor:
    for tensors in (made.trained, made.carried):
        if name in tensors:
            return tensors[name][k].clone()
    return (made.held[name][k] if name in made.differing else made.held[name]).clone()


def _validated(runs: Sequence[Run], made: Stacked) -> list[dict[str, float | None]]:
    """What `metrics.score.score` says of each member's validation rows."""
    first = runs[0]
    rows, criterion, placement = first.data.val, first.criterion, first.placement
    metrics = metrics_for(first.recipe.metrics, first.data.facts)
    assert rows is not None
    at_once = first.plan.at_once
    if criterion.over == "rows":  # then what is looked at together makes no difference
        at_once = max(at_once, EVALUATED // len(runs))
    totals: list[dict[str, Any]] = [{} for _ in runs]
    for ids in torch.arange(len(rows)).split(at_once):
        inputs, targets = rows.fetch(ids, 0)
        batch = Batch(placement.put(inputs), placement.put(targets), ids.to(placement.device))
        batch.counts = {"rows": len(ids), "once": 1.0, **criterion.counts(batch)}
        outputs = made.outputs(forward, batch.inputs)
        for k, total in enumerate(totals):
            with torch.no_grad():
                output = mapped(itemgetter(k), outputs)
                for key, value in statistics(metrics, criterion.point(output), criterion.sums(output, batch), batch).items():
                    total[key] = total[key] + value if key in total else value
    joined = [{key: torch.cat(value) if isinstance(value, list) else value for key, value in total.items()} for total in totals]
    return [finished(metrics, total, "val_") for total in joined]


def _by_itself(tried: Run) -> Member:
    """Train a recipe by a run of its own, a fresh one: a module may remember that it was tried in a program."""
    losses: list[Tensor] = []
    metrics: dict[str, dict[int, float | None]] = {}
    with Run(tried.recipe, data=tried.data) as run:
        for report in run:
            losses.append(report.loss.detach().double().cpu())
            for name, value in report.metrics.items():
                if not isinstance(value, str | list):  # what was found out about a step that went wrong is no figure
                    metrics.setdefault(name, {})[report.step] = value if value is None else float(value)
        weights = {name: value.clone() for name, value in run.placement.state(run.model, run.optimizer)["model"].items()}
    return Member(tried.recipe, torch.stack(losses), metrics, weights, alone=True)
