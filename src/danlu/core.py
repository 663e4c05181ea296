"""The whole of training: six seams and one law.

A technique takes a thing and returns a thing of the same kind: a model, a stream of batches, an objective, a gradient, an update,
the reports. The first technique listed is the outermost wrapper at every seam. `for report in Run(recipe)` is training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from danlu import build, messages
from danlu.drive import drive
from danlu.errors import BadInput


@dataclass(slots=True)
class Batch:
    """One micro-batch: rows to look at, who they are, and what a loss over them is divided by."""

    inputs: Any  # a tensor, or a dict of tensors, rows first
    targets: Any
    ids: Tensor  # [rows] int64: global sample ids
    step: int = 0  # the step it belongs to
    place: int = 0  # its number among the micro-batches of the step, over all processes
    last: bool = True  # the last micro-batch of the step on this process
    counts: dict[str, Any] = field(default_factory=dict)  # denominators: rows, once, and what the loss counts (tokens, weights)
    tags: dict[str, Any] = field(default_factory=dict)  # task, domain


@dataclass(slots=True)
class Loss:
    """Named terms, each a 0-d sum over the batch and the name of the count in `Batch.counts` that divides it."""

    terms: dict[str, tuple[Tensor, str]]

    def mean(self, counts: Mapping[str, Any]) -> Tensor:
        """The scalar these terms amount to when `counts` are all there is (one micro-batch on its own)."""
        return sum((value / max(float(counts[per]), 1e-30) for value, per in self.terms.values()), start=torch.zeros(()))


@dataclass(slots=True)
class Outcome:
    """What one look at the gradient returned; the finished gradient itself is in `p.grad`."""

    sums: dict[str, tuple[Tensor, str]]  # each term over all micro-batches and processes, detached, and its count's name
    counts: dict[str, Any]  # every denominator, over all micro-batches and processes
    overflow: Tensor  # 0-d float: zero when no loss and no gradient is inf or NaN; stays on its device until somebody reads it
    scale: float = 1.0  # the loss scale backward ran with; gradients are already unscaled
    moved: bool = False  # the update has moved the weights: known without asking the device

    @property
    def finite(self) -> Tensor:
        """0-d bool: the loss and every gradient of this step are finite."""
        return self.overflow == 0

    @property
    def terms(self) -> dict[str, Tensor]:
        """Each term divided by its own count; a count of zero gives zero."""
        return {name: value / self.counts[per] if float(self.counts[per]) else value * 0 for name, (value, per) in self.sums.items()}

    @property
    def loss(self) -> Tensor:
        """The sum of the terms: a 0-d tensor that stays on its device until somebody reads it."""
        return sum(self.terms.values(), start=torch.zeros(()))


@dataclass(slots=True)
class Report:
    """One finished step. Techniques add metrics and ask for a save; the core saves outside the outermost of them."""

    step: int  # steps finished
    epoch: float  # epochs finished
    outcome: Outcome
    lr: float
    metrics: dict[str, Any] = field(default_factory=dict)
    save: set[str] = field(default_factory=set)  # "latest", "best": what this step should be kept as

    @property
    def loss(self) -> Tensor:
        return self.outcome.loss


Stream = Iterable[Batch]
Objective = Callable[[nn.Module, Batch], Loss]
Gradient = Callable[[Objective, Sequence[Batch]], Outcome]
Evaluate = Callable[[], Outcome]
Update = Callable[[Evaluate], Outcome]
Reports = Iterator[Report]


class Technique:
    """Override the seams you need; the others pass through. Subclasses are dataclasses of plain values."""

    state: ClassVar[tuple[str, ...]] = ()  # attributes that must survive a restart; they change only in update and reports
    needs: ClassVar[frozenset[str]] = frozenset()  # what a placement must offer, see placement.base
    neutral: ClassVar[Mapping[str, Any] | str] = ""  # field values that change nothing, bit for bit; or why there are none
    changes: ClassVar[str] = "parameters"  # what shows that it is alive: parameters, gradients, reports, files, memory, time

    # fmt: off
    def wrap_model(self, model: nn.Module, run: Run) -> nn.Module: return model
    def wrap_stream(self, stream: Stream, run: Run) -> Stream: return stream
    def wrap_objective(self, objective: Objective, run: Run) -> Objective: return objective
    def wrap_gradient(self, gradient: Gradient, run: Run) -> Gradient: return gradient
    def wrap_update(self, update: Update, run: Run) -> Update: return update
    def wrap_reports(self, reports: Reports, run: Run) -> Reports: return reports
    # fmt: on

    def shadow(self) -> dict[str, Tensor] | None:
        """Parameters and buffers to validate and export instead of the raw ones, by name, for a technique that keeps an average."""
        return None

    @classmethod
    def example(cls) -> Technique:
        """Settings under which it does something on the laws' tiny recipe."""
        return cls()


@dataclass(frozen=True)
class Recipe:
    """A training, described: every field is a description (a dataclass of plain values) or any callable that does the same."""

    model: Any
    data: Any
    loss: Any = "auto"
    optimizer: Any = None
    schedule: Any = None
    techniques: tuple[Technique, ...] = ()
    placement: Any = None
    precision: str = "fp32"
    epochs: float | None = None
    steps: int | None = None
    batch_size: int = 32
    micro_batch_size: int | None = None
    validate: Any = None
    metrics: tuple[Any, ...] = ()
    seed: int = 0
    device: str = "auto"


class Run:
    """A recipe made concrete. Iterate it to train; stop iterating to stop; iterate again to go on."""

    def __init__(self, recipe: Recipe, *, data: Any = None, save: Callable[[Run, Report], None] | None = None):
        build.check_fields(recipe)
        self.recipe, self.seed, self.step, self.save = recipe, recipe.seed, 0, save
        self.placement = build.placement(recipe)
        self.data = data if data is not None else build.data(recipe)
        self.plan = self.placement.plan(self.data.train, recipe)
        self.total = build.horizon(recipe, self.plan)  # stored, never recomputed
        self._shape = build.schedule(recipe)
        self.schedule = self._shape and self._shape(self.total)  # the factor of the rate over the step
        self.techniques = build.techniques(recipe, self._shape, validates=self.data.val is not None)
        self.criterion = build.objective(recipe, self.data.facts)
        self.model = self.placement.place(self.wrap("model", build.model(recipe, build.columns(recipe, self.data.facts))))
        self.optimizer = build.optimizer(recipe, self.model, self.placement.optimizer)
        build.check(self)
        self.objective = self.wrap("objective", self.placement.keyed(self.criterion, self.seed))
        self.gradient = self.wrap("gradient", self.placement.gradient(self.model))
        self.update = self.wrap("update", drive(self))

    def wrap(self, seam: str, thing: Any) -> Any:
        for technique in reversed(self.techniques):
            thing = getattr(technique, f"wrap_{seam}")(thing, self)
        return thing

    def trainable(self) -> list[nn.Parameter]:
        return [p for p in self.model.parameters() if p.requires_grad]

    def __iter__(self) -> Reports:
        stream = iter(self.wrap("stream", self.placement.stream(self.data.train, self.plan, self.step, self.total)))
        for report in self.wrap("reports", self._steps(stream)):
            if report.save and self.save:  # on every process, since weights may lie in parts
                self.save(self, report)
            yield report

    def _steps(self, stream: Iterator[Batch]) -> Reports:
        while self.step < self.total and (batches := self._take(stream)):
            self.placement.begin()
            outcome = self.update(lambda: self.placement.looked(self, batches))
            self.step += 1
            yield Report(self.step, self.step / self.plan.steps_per_epoch, outcome, self.optimizer.param_groups[0]["lr"])

    def _take(self, stream: Iterator[Batch]) -> list[Batch]:
        """The micro-batches of one step, with their denominators counted after every stream technique has had its say."""
        batches = []
        for batch in self.placement.fitted(stream):
            rows = batch.counts.get("rows", len(batch.ids))
            batch.counts = {"rows": rows, "once": 1.0, **self.criterion.counts(batch)}
            if rows == 0:  # stands in for a micro-batch that other processes have: evaluated, and counted as nothing
                batch.counts = dict.fromkeys(batch.counts, 0.0)
            batches.append(batch)
            if batch.last:
                break
        return batches

    def evaluate(self, fn: Callable[[nn.Module, Batch], dict[str, Any]], rows: Any, weights: str = "raw") -> dict[str, Any]:
        """Run `fn` over `rows` outside a step, at the "raw" or the averaged ("ema") weights; nothing is moved. See placement.evaluate."""
        return self.placement.evaluate(self.model, fn, rows, self.plan.at_once, self.criterion, self.kept_weights(weights))

    def kept_weights(self, which: str = "auto", whole: bool = False) -> dict[str, Tensor] | None:
        """The average that the outermost technique keeps ("ema"), None for the model's own ("raw"); "auto": an average if there is one."""
        found = next((w for t in self.techniques if (w := t.shadow()) is not None), None) if which != "raw" else None
        if which == "ema" and found is None:
            raise BadInput(messages.NO_AVERAGE)
        return found if not whole else self.placement.weights(self.model) if found is None else self.placement.gathered(found)

    def state(self) -> dict[str, Any]:
        """Everything that must survive a restart, by logical names: tensors of the model and optimiser, fields of techniques."""
        kept = {name: {key: getattr(t, key) for key in t.state} for name, t in self.named_techniques() if t.state}
        head = {"step": self.step, "total": self.total, "placement": self.placement.facts()}
        return {**head, **self.placement.state(self.model, self.optimizer), "techniques": self.placement.gathered(kept)}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from `state`; the next report is the one after the step at which it was taken."""
        if state["total"] != self.total and self._shape:
            self.schedule = self._shape(state["total"])
        self.step, self.total = state["step"], state["total"]
        self.placement.load(self.model, self.optimizer, state)
        build.restore(self, state["techniques"])

    def named_techniques(self) -> Iterator[tuple[str, Technique]]:
        """Each technique with the logical name of its state: its place among its own kind, `ema.0`."""
        return build.numbered(self.techniques)

    def fork(self, **overrides: Any) -> Run:
        """A second run that goes on from here with some recipe fields changed; what a changed field owned starts fresh."""
        other = Run(replace(self.recipe, **overrides), data=None if "data" in overrides else self.data)
        other.load(build.handed_over(self, other, overrides.keys()))
        return other

    def close(self) -> None:
        """Let go of the model, the optimiser and everything that refers to them."""
        if "placement" in self.__dict__:  # not closed before
            self.placement.close()
        self.__dict__ = {"recipe": self.recipe, "step": self.step, "total": self.total, "techniques": ()}

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
