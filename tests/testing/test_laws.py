"""Every technique passes every law; and for every law there are techniques that break it, which it must catch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import pytest
import torch
import toys  # noqa: F401 (one thread)

from danlu.core import Loss, Report, Run, Technique
from danlu.fields import Positive
from danlu.find import catalogue
from danlu.techniques.gradient.clip import Clip
from danlu.techniques.reports.validate import Validate
from danlu.techniques.update.ema import EMA
from danlu.testing import laws
from danlu.testing.compare import at_step, gradients, same, weights
from danlu.testing.description import eval_repr
from danlu.testing.laws import LAWS
from danlu.testing.tiny import tiny, tiny_data

FOUND = list(catalogue("technique", others=False))
BY_NAME = {law.__name__: law for law in LAWS}


@pytest.mark.parametrize("split", [False, True], ids=["whole", "split"])
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("found", FOUND, ids=lambda found: found.name)
def test_every_technique_keeps_every_law(found, law, split):
    if split and law.__name__ == "alive":
        pytest.skip("a technique may have nothing to do in one of the two recipes")
    example = found.load().example()
    law(example, tiny(example, split=split))


def test_the_techniques_are_found():
    assert {"clip", "sam", "ema", "mixup", "ghost_norm", "validate", "early_stop", "checkpoint"} <= {found.name for found in FOUND}


# ---- broken ones ------------------------------------------------------------


@dataclass
class Pushes(Technique):
    """Moves a weight while the gradient is taken."""

    neutral: ClassVar = {}

    def wrap_gradient(self, gradient, run):
        def pushed(objective, batches):
            outcome = gradient(objective, batches)
            with torch.no_grad():
                run.trainable()[-1].add_(1e-7)
            return outcome

        return pushed


@dataclass
class Shakes(Technique):
    """Moves a buffer (or a weight, where there is none) while the gradient is taken, and only from the third step on."""

    neutral: ClassVar = {}

    def wrap_gradient(self, gradient, run):
        def shaken(objective, batches):
            outcome = gradient(objective, batches)
            tensors = [*run.model.buffers(), *run.trainable()]
            with torch.no_grad():
                tensors[0].add_(1e-7 if batches[0].step >= 2 else 0.0)
            return outcome

        return shaken


@dataclass
class Forgets(Technique):
    """Answers a second question in a step differently."""

    neutral: ClassVar = {}

    def wrap_objective(self, objective, run):
        calls = []

        def scaled(model, batch):
            calls.append(0)
            loss = objective(model, batch)
            return Loss({name: (value * (1 + 1e-3 * len(calls)), per) for name, (value, per) in loss.terms.items()})

        return scaled


@dataclass
class Draws(Technique):
    """Draws from a generator that nobody keys."""

    neutral: ClassVar = {}

    def wrap_gradient(self, gradient, run):
        own = torch.Generator()

        def noisy(objective, batches):
            outcome = gradient(objective, batches)
            for p in run.trainable():
                p.grad += 1e-4 * torch.randn(p.shape, generator=own)
            return outcome

        return noisy


@dataclass
class Sleeps(Technique):
    """Its update does nothing, and says nothing."""

    neutral: ClassVar = {}

    def wrap_update(self, update, run):
        return lambda evaluate: evaluate()


@dataclass
class Reporter(Technique):
    """Base of those that handle reports wrongly; an honest one itself."""

    neutral: ClassVar = {}
    changes: ClassVar = "reports"

    def wrap_reports(self, reports, run):
        for report in reports:
            report.metrics["seen"] = 1.0
            yield report


@dataclass
class Swallows(Reporter):
    def wrap_reports(self, reports, run):
        for report in reports:
            report.metrics["seen"] = 1.0
            if report.step != 3:
                yield report


@dataclass
class SwallowsAll(Reporter):
    def wrap_reports(self, reports, run):
        for _ in reports:
            pass
        yield from ()


@dataclass
class Doubles(Reporter):
    def wrap_reports(self, reports, run):
        for report in reports:
            report.metrics["seen"] = 1.0
            yield report
            yield report


@dataclass
class Reorders(Reporter):
    def wrap_reports(self, reports, run):
        yield from sorted(reports, key=lambda report: -report.step)


@dataclass
class Invents(Reporter):
    def wrap_reports(self, reports, run):
        for report in reports:
            yield report
        yield Report(report.step + 1, 0.0, report.outcome, 0.0, {"seen": 1.0})


@dataclass
class StaysOpen(Reporter):
    """Keeps the inner reports, so that closing its own does not close them."""

    def wrap_reports(self, reports, run):
        self.kept = reports
        yield from super().wrap_reports(Held(reports), run)


class Held:
    def __init__(self, inner):
        self.inner = inner

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.inner)


@dataclass
class Loud(Technique):
    """Says that factor=1 changes nothing, but shrinks the rate a little all the same."""

    factor: Positive = 0.5
    neutral: ClassVar = {"factor": 1.0}

    def wrap_gradient(self, gradient, run):
        def scaled(objective, batches):
            outcome = gradient(objective, batches)
            for p in run.trainable():
                p.grad *= self.factor * (1 - 2e-7)
            return outcome

        return scaled


@dataclass
class Stirs(Technique):
    """Changes nothing but a buffer, and says that this is nothing."""

    neutral: ClassVar = {}

    def wrap_update(self, update, run):
        def stirred(evaluate):
            outcome = update(evaluate)
            for tensor in list(run.model.buffers())[:1] or run.trainable()[:1]:
                with torch.no_grad():
                    tensor.mul_(1 + 1e-6)
            return outcome

        return stirred


@dataclass
class Mute(Technique):
    """Does not say whether it has a neutral setting."""

    def wrap_update(self, update, run):
        return update


@dataclass
class Amnesia(Technique):
    """Shrinks the gradient more with every step, and does not say that it counts."""

    rate: Positive = 0.9
    neutral: ClassVar = {"rate": 1.0}

    def wrap_update(self, update, run):
        self.share = 1.0

        def counted(evaluate):
            def shrunk():
                outcome = evaluate()
                for p in run.trainable():
                    p.grad *= self.share
                return outcome

            outcome = update(shrunk)
            self.share *= self.rate
            return outcome

        return counted


@dataclass
class Remembers(Amnesia):
    """The same, with its state declared: no law is broken."""

    state: ClassVar = ("share",)


@dataclass
class ForgetsBest(Validate):
    """A report technique that starts anew after a restart: nothing but its reports tells."""

    state: ClassVar = ()


@dataclass
class ForgetsAverage(EMA):
    """An average that starts anew after a restart: the weights are the same, the average is not."""

    state: ClassVar = ()


@dataclass
class Unborn(Technique):
    """Has state that is there only after the first step."""

    state: ClassVar = ("moves",)
    neutral: ClassVar = {}
    changes: ClassVar = "memory"

    def wrap_update(self, update, run):
        def counted(evaluate):
            self.moves = getattr(self, "moves", torch.zeros(())) + 1
            return update(evaluate)

        return counted


@dataclass
class Nothing(Technique):
    """Wraps, and does nothing, whatever it says that it changes."""

    neutral: ClassVar = {}

    def wrap_update(self, update, run):
        return update


def idle(what):
    return dataclass(type(f"Idle{what.title()}", (Nothing,), {"changes": what, "__annotations__": {}, "__doc__": "Does nothing."}))


@dataclass
class IdleReporter(Reporter):
    """Passes reports on as they are, which have metrics from validation."""

    def wrap_reports(self, reports, run):
        yield from reports


@dataclass
class Absent(Technique):
    """Overrides nothing."""

    neutral: ClassVar = {}


@dataclass
class Thinks(Nothing):
    """Logic in the constructor."""

    rate: float = 1.0

    def __post_init__(self):
        self.rate = max(self.rate, 0.5)


@dataclass
class HoldsTensor(Nothing):
    weight: object = field(default_factory=lambda: torch.ones(2))


@dataclass
class HoldsFunction(Nothing):
    kernel: object = math.exp


@dataclass
class HoldsList(Nothing):
    parts: list = field(default_factory=lambda: [1, 2])


@dataclass
class Hides(Nothing):
    """Its repr does not tell all."""

    rate: float = field(default=1.0, repr=False)

    @classmethod
    def example(cls):
        return cls(rate=2.0)


class Plain(Nothing):
    """No dataclass of its own, but a constructor."""

    def __init__(self, rate=1.0):
        self.rate = rate


BROKEN = [
    ("gradient", Pushes), ("gradient", Shakes),
    ("reevaluation", Forgets), ("reevaluation", Draws),
    ("update", Sleeps),
    ("reports", Swallows), ("reports", SwallowsAll), ("reports", Doubles),
    ("reports", Reorders), ("reports", Invents), ("reports", StaysOpen),
    ("neutral", Loud), ("neutral", Stirs), ("neutral", Mute),
    ("resume", Amnesia), ("resume", ForgetsBest), ("resume", ForgetsAverage), ("resume", Unborn),
    ("alive", Nothing), ("alive", idle("gradients")), ("alive", idle("reports")), ("alive", idle("files")), ("alive", idle("memory")),
    ("alive", IdleReporter), ("alive", idle("magic")),
    ("reach", Absent),
    ("description", Thinks), ("description", HoldsTensor), ("description", HoldsFunction),
    ("description", HoldsList), ("description", Hides),
    ("description", Plain),
]  # fmt: skip


@pytest.mark.parametrize("law, kind", BROKEN, ids=lambda thing: thing if isinstance(thing, str) else thing.__name__)
def test_a_broken_technique_is_caught_and_named(law, kind):
    example = kind.example()
    found = []
    for split in (False, True):
        try:
            BY_NAME[law](example, tiny(example, split=split))
        except AssertionError as error:
            found.append(str(error))
    assert found and all(kind.__name__ in sentence for sentence in found)
    with pytest.raises(AssertionError):
        laws(kind)


def test_every_law_has_a_technique_that_breaks_it():
    assert {law for law, _ in BROKEN} == set(BY_NAME)


@pytest.mark.parametrize("kind", [Remembers, Reporter])
def test_a_technique_of_ones_own_that_keeps_the_laws(kind):
    laws(kind() if kind is Reporter else kind)


def test_other_settings_and_another_recipe():
    laws(Clip(max_norm=0.05), lambda technique=None, **fields: tiny(technique, **fields, steps=3))
    with pytest.raises(AssertionError, match="Clip says that it changes gradients"):
        laws(Clip(max_norm=1e6))


def test_the_global_generator_is_as_it_was():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    laws(Clip(max_norm=0.05))
    assert torch.equal(before, torch.get_rng_state())


# ---- what the laws are made of ----------------------------------------------


def test_repr_is_read_without_running_it():
    @dataclass
    class Kinds(Technique):
        a: float = math.inf
        b: tuple = (1, ("x", None))
        c: str = "__import__('os')"
        d: float = -math.inf
        e: bool = True

    for kinds in (Kinds(), Kinds(a=-1e-300, b=(), d=-2.0), Kinds(b=(Kinds(e=False), -3))):
        assert eval_repr(kinds) == kinds
    with pytest.raises(AssertionError, match="Kinds"):
        eval_repr(Kinds(c=math.sqrt))


def test_same_is_bit_for_bit():
    a = {"x": torch.tensor([1.0, 2.0])}
    assert same(a, {"x": torch.tensor([1.0, 2.0])})
    assert not same(a, {"x": torch.tensor([1.0, 2.0 + 2.4e-7])}) and not same(a, {"y": a["x"]}) and not same(a, {})


def test_at_step_stands_before_the_next_step():
    run, batches = at_step(tiny(split=True), 2)
    assert run.step == 2 and {batch.step for batch in batches} == {2} and [batch.last for batch in batches] == [False, True]
    before = weights(run)
    found = gradients(run, batches)
    assert same(before, weights(run)) and found.keys() == {name for name, _ in run.model.named_parameters()}


def test_the_tiny_recipe():
    run = Run(tiny())
    assert len(list(run)) == 6 and len(tiny_data().train) == 40 and len(tiny_data().val) == 16
