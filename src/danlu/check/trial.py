"""What the checks share: the user's own recipe on a few rows of the user's own data, and how much of it may be looked at."""

from __future__ import annotations

import copy
import functools
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from danlu.check.plain import Look, Part, Plain, Witness, gradients
from danlu.core import Batch, Recipe, Run, Technique
from danlu.data.fingerprint import spread
from danlu.data.source import Data
from danlu.errors import Trouble
from danlu.keys import Keyed
from danlu.nets.flops import step_flops

LOOK = 1.2e9  # floating-point operations of a look at a batch of the trial: 0.05 to 0.1 s on one core
ROWS = 256  # and at most so many rows
HELD_OUT = 32  # validation rows that reports are looked at with
LIMIT, WALL = 20.0, 60.0  # seconds of work, and by the clock (the machine may be busy), after which no further check is begun


@dataclass
class ModelOnly(Technique):
    """The model as a technique makes it, without what else it does."""

    of: Any = None
    neutral = "it is what another technique makes of the model"

    def wrap_model(self, model: nn.Module, run: Run) -> nn.Module:
        return self.of.wrap_model(model, run)


def overrides(technique: Technique, seam: str) -> bool:
    name = f"wrap_{seam}"
    return getattr(type(technique), name) is not getattr(Technique, name)


@dataclass(frozen=True)
class Followed:
    """The bare recipe for a few steps in float64, beside the plain loop. `apart`, `missed`: by parameter or buffer; see `follow`."""

    steps: int
    gradient: float  # relative norm of the difference of the first gradients
    loss: float  # relative difference of the losses, the largest
    apart: dict[str, float]  # how far parameters and buffers are from the plain loop's, relative to their size
    touched: frozenset[str]  # parameters that had a gradient other than zero in some step
    plain: Plain
    look: Look


class Trial:
    """One recipe on trial. Every run that it makes is thrown away; the caller's run is only asked what it is made of."""

    def __init__(self, run: Run):
        self.recipe, self.data, self.total, self.device = run.recipe, run.data, run.total, run.placement.device
        self.began, self._work = time.monotonic(), time.process_time()
        inputs, _ = run.data.train.fetch(spread(len(run.data.train), 2), 0)
        rows = min(2, len(run.data.train))
        with undisturbed(self.device):
            try:
                self.row_flops = step_flops(copy.deepcopy(run.model), run.placement.put(inputs)) / rows
            except Exception:  # a model that wants other arguments: `loss` calls it
                self.row_flops = 0.0
        self.small, self.part, self.rows = self._small(run)
        flops = self.row_flops * self.small.batch_size
        self.costly = flops > 2 * LOOK  # even two rows are
        self.steps = 2 if self.costly else 4 if flops < LOOK / 3 else 3
        self.peak = _peak(run)

    @property
    def late(self) -> bool:
        work = (time.process_time() - self._work) / torch.get_num_threads()
        return work > LIMIT or time.monotonic() - self.began > WALL

    def _small(self, run: Run) -> tuple[Recipe, Data, Part]:
        """The recipe with fewer rows in a batch, split as before, on a few rows with a shorter last batch; and these rows."""
        recipe, rows = self.recipe, len(self.data.train)
        wish = min(recipe.batch_size, ROWS, max(2, int(LOOK / self.row_flops)) if self.row_flops else 64)
        sizes = [wish, *(size for power in range(16) if wish < (size := 2**power) < recipe.batch_size), recipe.batch_size]
        count = run.plan.micro_count(run.placement.world)
        for size in sizes:
            micro = None
            if count > 1 and recipe.micro_batch_size:
                parts = min(count, 4, size)
                micro = min(size // parts, recipe.micro_batch_size)
                micro -= micro % 2 if micro > 1 else 0
                size = micro * parts
            for tail in (size // 2, 0):
                number = min(2 * size + tail, rows)
                if number < size:
                    continue
                small = replace(recipe, epochs=None, steps=self.total, batch_size=size, micro_batch_size=micro, validate=False)
                some = Part(self.data.train, spread(rows, number))
                part = replace(self.data, train=some, val=self._held_out(), test=None)
                try:
                    with undisturbed(self.device), Run(small, data=part):
                        return small, part, some
                except Trouble:  # a technique or a norm that wants other sizes
                    continue
        some = Part(self.data.train, torch.arange(rows))
        everything = replace(self.data, train=some, val=self._held_out(), test=None)
        return replace(recipe, epochs=None, steps=self.total, validate=False), everything, some

    def _held_out(self) -> Part | None:
        rows = self.data.val
        return None if rows is None else Part(rows, spread(len(rows), HELD_OUT))

    def run(self, recipe: Recipe) -> Run:
        return Run(recipe, data=self.part)

    def bare(self, **fields: Any) -> Recipe:
        """The small recipe with the model as its techniques make it, and nothing else of them."""
        models = tuple(ModelOnly(technique) for technique in self.recipe.techniques if overrides(technique, "model"))
        return replace(self.small, techniques=models, **fields)

    @functools.cached_property
    def fresh(self) -> Run:
        """The bare recipe in its own precision, which is looked at and never moved."""
        return self.run(self.bare())

    @functools.cached_property
    def looks(self) -> list[tuple[float, dict[str, Tensor], Look]]:
        """The loss, the gradient, and what was looked at, of the fresh run's first batch and of the shorter last one of an epoch."""
        run, found = self.fresh, []
        witness = Witness(run, self.rows)
        for number, batches in enumerate(batches_of(run, 1 if self.costly else 3)):
            if number != 1:
                outcome = run.gradient(run.objective, batches)
                found.append((float(outcome.loss), gradients(run.model), witness.look()))
            self.rows.asked.clear()
        witness.close()
        return found

    def close(self) -> None:
        """Let go of the runs that were made."""
        if "fresh" in self.__dict__:
            self.fresh.close()

    @functools.cached_property
    def followed(self) -> Followed:
        """The bare recipe in float64 for a few steps, and the plain loop beside it, from the same parameters over the same rows."""
        with self.run(self.bare(precision="fp64")) as run:
            witness = Witness(run, self.rows)
            plain = Plain(run, self.rows, torch.float64)
            optimizer = plain.optimizer()
            rates = [group["lr"] for group in optimizer.param_groups]
            sizes: dict[str, Tensor] = {}
            first, off, touched = 0.0, 0.0, set[str]()
            start = Look(0, (), 0, ())
            for step, report in zip(range(self.steps), run):
                found, look = gradients(run.model), witness.look()
                for group, rate in zip(optimizer.param_groups, rates):
                    group["lr"] = rate * (run.schedule(step) if run.schedule else 1.0)
                losses: list[float] = []

                def closure(look: Look = look, losses: list[float] = losses) -> float:
                    losses.append(plain.gradient(look))
                    return losses[-1]

                closure()
                own = gradients(plain.model)
                if step == 0:
                    first, start = distance(found, own), look
                optimizer.step(_first_known(losses[0], closure))
                off = max(off, abs(float(report.loss) - losses[0]) / max(abs(losses[0]), 1e-12))
                touched |= {name for name, p in run.model.named_parameters() if p.grad is not None and bool(p.grad.count_nonzero())}
                for name, value in own.items():
                    sizes[name] = torch.maximum(sizes[name], value.abs()) if name in sizes else value.abs()
            witness.close()
            return Followed(step + 1, first, off, _apart(run.model, plain.model, sizes), frozenset(touched), plain, start)


def batches_of(run: Run, steps: int) -> Iterator[list[Batch]]:
    """The micro-batches of the run's first steps, with nothing moved between them."""
    stream = iter(run.wrap("stream", run.placement.stream(run.data.train, run.plan, run.step, run.total)))
    for _ in range(steps):
        if not (batches := run._take(stream)):
            return
        run.placement.begin()
        yield batches


def distance(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> float:
    """The norm of the difference of two gradients, relative to that of the second."""
    return _norm([found[name] - value for name, value in wanted.items()]) / max(_norm(list(wanted.values())), 1e-30)


def _norm(tensors: list[Tensor]) -> float:
    return float(torch.stack([tensor.square().sum() for tensor in tensors]).sum().sqrt())


def _first_known(loss: float, ask: Callable[[], float]) -> Callable[[], float]:
    """A closure for an optimiser that searches: the first answer is known, and the gradient to it is there."""
    known = [loss]
    return lambda: known.pop() if known else ask()


def _apart(model: nn.Module, plain: nn.Module, sizes: dict[str, Tensor]) -> dict[str, float]:
    """The largest difference in each parameter and buffer, relative to one and the larger of their sizes.

    Elements whose gradient was nothing but rounding are left out: an optimiser that looks at signs makes whole steps of it.
    """
    noise = 1e-11 * max(float(size.max()) for size in sizes.values() if size.numel())
    other, found = plain.state_dict(), {}
    for name, value in model.state_dict().items():
        difference = (value.double() - other[name].double()).abs() / (1 + other[name].double().abs())
        if name in sizes:
            difference = difference[(sizes[name] == 0) | (sizes[name] > noise)]
        found[name] = float(difference.max()) if difference.numel() else 0.0
    return found


def _peak(run: Run, points: int = 400) -> int:
    """The step at which the schedule's rate is highest."""
    if run.schedule is None:
        return 0
    return max(range(0, run.total, max(1, run.total // points)), key=run.schedule)


@contextmanager
def undisturbed(device: torch.device) -> Iterator[None]:
    """Whatever is drawn inside, the generators of torch, NumPy and Python are afterwards as they were."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 (a user's data may draw from it)
    keys = Keyed.seed, Keyed.step, Keyed.ids, Keyed.calls
    cpu = device.type == "cpu"
    try:
        with torch.random.fork_rng(devices=[] if cpu else [device], device_type="cuda" if cpu else device.type):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        Keyed.seed, Keyed.step, Keyed.ids, Keyed.calls = keys
