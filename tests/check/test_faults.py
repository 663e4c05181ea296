"""Planted faults: each is found, by the line that is there for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
import torch.nn.functional as F
import toys
from torch import Tensor, nn

from check.own_recipes import base, language, letters, numbers, regression, uneven
from danlu import build
from danlu.check import CHECKS, certify
from danlu.check.certificate import Certificate
from danlu.core import Batch, Recipe, Report, Run, Technique
from danlu.data.source import Data, Tensors
from danlu.errors import BadInput, Refused
from danlu.losses.classification import CrossEntropy
from danlu.optim.first_order import SGD
from danlu.optim.schedules import Cosine
from danlu.placement.base import Placement
from danlu.placement.buffers import Buffers
from danlu.placement.precision import Precision
from danlu.techniques.gradient.clip import Clip
from danlu.techniques.gradient.sam import SAM
from danlu.techniques.stream.mixup import MixUp
from danlu.techniques.update.ema import EMA


def page(recipe: Recipe) -> Certificate:
    with Run(recipe) as run:
        return certify(run, again=True)


def found(recipe: Recipe) -> dict[str, str]:
    """Line and verdict of what is not ok."""
    return {line.name: line.verdict for line in page(recipe).lines if line.verdict != "ok"}


def says(recipe: Recipe, name: str) -> str:
    return next(str(line) for line in page(recipe).lines if line.name == name)


# ---- losses and denominators ----


def test_a_mean_over_tokens_that_is_counted_in_rows() -> None:
    """danlu's own try before the run looks at five rows, here all without ignored labels."""

    def late() -> Data:
        data = letters(ignored=0.6)
        inputs, targets = data.train.content()
        targets[:5] = inputs[:5]
        return replace(data, train=Tensors(inputs, targets))

    def mean(output: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(output.flatten(0, 1), target.flatten()) * len(target)

    recipe = language(data=late, loss=mean, micro_batch_size=2)
    verdicts = found(recipe)
    assert verdicts["gradient"] == verdicts["steps"] == "failed"
    assert "overfit" not in verdicts


def test_a_plain_mean_is_refused_when_the_run_is_built() -> None:
    with pytest.raises(Refused):
        page(base(loss=lambda output, target: F.cross_entropy(output, target)))


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp64"])
def test_wrong_denominator_of_micro_batches(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Placement, "_counts", lambda self, batches: batches[0].counts)
    recipe = base(micro_batch_size=4, precision=precision)
    verdicts = found(recipe)
    assert verdicts["gradient"] == verdicts["steps"] == "failed"
    if precision != "bf16":
        assert "times that of the plain loss" in says(recipe, "gradient")


def test_the_mean_of_the_means_of_uneven_micro_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """What accumulation does elsewhere: each micro-batch divided by its own count."""
    seed = Placement._seed

    def own(self: Placement, terms: Any, counts: Any, batch: Batch, sums: Any) -> None:
        for name, (value, per) in terms.items():
            sums[name] = (sums[name][0] + value.detach() if name in sums else value.detach(), per)
            torch.autograd.backward([value], [seed(self, 4 * batch.counts[per])])

    monkeypatch.setattr(Placement, "_backward", own)
    verdicts = found(language(data=lambda: letters(ignored=0.5), micro_batch_size=2))
    assert verdicts["gradient"] == verdicts["steps"] == "failed"


def test_class_weights_that_are_left_out_of_the_denominator(monkeypatch: pytest.MonkeyPatch) -> None:
    made = CrossEntropy.__call__

    def rows(self: CrossEntropy, facts: Any) -> Any:
        criterion = made(self, facts)
        return replace(criterion, counts=lambda batch: {"weights": float(len(batch.targets))})

    monkeypatch.setattr(CrossEntropy, "__call__", rows)
    verdicts = found(base(loss=CrossEntropy(class_weights=(0.2, 1.0, 3.0)), micro_batch_size=4))
    assert verdicts["gradient"] == verdicts["steps"] == "failed"


def test_a_gradient_that_is_not_unscaled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Precision, "unscale", lambda self, *given: torch.zeros(()))
    assert found(base(precision="fp16"))["gradient"] == "failed"


# ---- the step ----


def test_a_schedule_that_runs_twice_as_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = base(schedule=Cosine(warmup=20))
    assert "steps" not in found(recipe)
    monkeypatch.setattr(Run, "_take", _doubled(Run._take))
    assert found(recipe)["steps"] == "failed"


def _doubled(take: Any) -> Any:
    """A loop that counts two steps for one."""

    def taken(self: Run, stream: Iterator[Batch]) -> list[Batch]:
        batches = take(self, stream)
        self.step += bool(self.step)
        return batches

    return taken


def test_buffers_that_stay_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Buffers, "commit", lambda self: None)
    recipe = base(model=toys.batch_normed)
    assert found(recipe) == {"steps": "failed"}
    assert "num_batches_tracked" in says(recipe, "steps")


def test_weight_decay_that_the_optimiser_never_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that nobody reads is said, by name."""

    @dataclass(frozen=True)
    class Forgetful:
        lr: float = 1e-2
        decay: float = 0.0

        def __call__(self, params: Any) -> torch.optim.Optimizer:
            return torch.optim.SGD([p for _, p in params], lr=self.lr)

    recipe = base(optimizer=Forgetful(lr=5e-2, decay=0.1))
    assert found(recipe) == {"settings": "note"}
    assert "optimizer.decay" in says(recipe, "settings")
    assert "optimizer.lr" not in says(recipe, "settings")


# ---- the model ----


class Detached(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(6, 16), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).relu().detach())


class Spare(Detached):
    def __init__(self) -> None:
        super().__init__()
        self.pooler = nn.Linear(16, 16)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).relu())


def test_what_a_detach_cuts_off() -> None:
    recipe = base(model=Detached)
    assert found(recipe)["tensors"] == "failed"
    assert "body.weight, body.bias" in says(recipe, "tensors")
    assert "head" not in says(recipe, "tensors")


def test_what_is_not_used_is_said_and_not_refused() -> None:
    recipe = base(model=Spare)
    assert found(recipe) == {"tensors": "note"}
    assert "pooler.weight" in says(recipe, "tensors")


@pytest.mark.parametrize("make", [lambda: nn.Linear(6, 3), lambda: toys.net()])
def test_a_start_that_is_far_off(make: Any) -> None:
    def loud() -> nn.Module:
        model = make()
        with torch.no_grad():
            for p in model.parameters():
                p *= 60
        return model

    recipe = base(model=loud)
    assert found(recipe)["start"] == "failed"
    assert "times what one that knows nothing should have" in says(recipe, "start")


def test_targets_that_are_not_standardised_are_no_fault_of_the_start() -> None:
    assert "start" not in found(regression(data=lambda: numbers(scale=1000.0)))


def test_a_start_that_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    class Log(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) - torch.log(x[:, :3] * 0)

    recipe = base(model=lambda: Log(6, 3))
    with pytest.raises(BadInput, match="nan"):  # danlu's own try before a run finds it first
        page(recipe)
    monkeypatch.setattr(build, "_try_out", lambda run: None)
    assert found(recipe)["start"] == "failed"


def test_a_model_that_knows_the_answers_is_said() -> None:
    def leak() -> Data:
        data = uneven()
        inputs, targets = data.train.content()
        return replace(data, train=Tensors(torch.cat([inputs[:, :3], 9.0 * F.one_hot(targets, 3)], 1), targets))

    def knows() -> nn.Module:
        model = nn.Linear(6, 3)
        with torch.no_grad():
            model.weight.copy_(torch.cat([torch.zeros(3, 3), torch.eye(3)], 1))
        return model

    assert found(base(data=leak, model=knows))["start"] == "note"


# ---- learning ----


@pytest.mark.parametrize(("lr", "word"), [(1e-9, "raise the rate"), (300.0, "lower the rate")])
def test_a_rate_that_cannot_overfit(lr: float, word: str) -> None:
    recipe = base(optimizer=SGD(lr=lr))
    assert found(recipe)["overfit"] == "failed"
    assert word in says(recipe, "overfit")


def test_inputs_that_do_not_reach_the_output() -> None:
    class Deaf(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x * 0)

    def all_alike() -> Data:
        data = uneven()
        inputs, _ = data.train.content()
        return replace(data, train=Tensors(inputs, torch.arange(len(inputs)) % 3))

    assert found(base(model=lambda: Deaf(6, 3, bias=False), data=all_alike))["overfit"] == "failed"


# ---- techniques ----


@dataclass
class Idle(Technique):
    """Does nothing."""

    much: float = 1.0
    changes: ClassVar = "parameters"

    def wrap_update(self, update: Any, run: Run) -> Any:
        return lambda evaluate: update(evaluate)


@dataclass
class Late(Technique):
    """Does something in the second half of a run."""

    changes: ClassVar = "gradients"

    def wrap_gradient(self, gradient: Any, run: Run) -> Any:
        def halved(objective: Any, batches: Sequence[Batch]) -> Any:
            outcome = gradient(objective, batches)
            for p in run.trainable():
                if p.grad is not None and 2 * batches[0].step > run.total:
                    p.grad *= 0.5
            return outcome

        return halved


@dataclass
class Mute(Technique):
    """Reports that are never changed."""

    changes: ClassVar = "reports"

    def wrap_reports(self, reports: Iterator[Report], run: Run) -> Iterator[Report]:
        yield from reports

    @classmethod
    def example(cls) -> Mute:
        return cls()


def test_a_technique_that_does_nothing() -> None:
    recipe = base(techniques=(EMA(decay=0.9), Idle()))
    assert found(recipe) == {"techniques": "failed"}
    assert says(recipe, "techniques").startswith("idle:")


def test_a_technique_that_acts_later_is_alive() -> None:
    assert found(base(techniques=(Late(),))) == {}


def test_clipping_that_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = base(techniques=(Clip(max_norm=0.01),))
    assert found(recipe) == {}
    monkeypatch.setattr(Clip, "wrap_gradient", lambda self, gradient, run: gradient)
    assert found(recipe)["techniques"] == "failed"


def test_a_limit_that_is_not_reached_is_said() -> None:
    recipe = base(techniques=(Clip(max_norm=1e6),))
    assert found(recipe)["techniques"] == "note"
    assert "clip(max_norm=1" in says(recipe, "techniques")


@pytest.mark.parametrize("technique", [SAM(rho=0.0), MixUp(alpha=0.0)])
def test_settings_at_which_a_technique_does_nothing_are_said(technique: Technique) -> None:
    assert found(base(techniques=(technique,)))["techniques"] == "note"


def test_a_technique_that_is_undone_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """The outer one takes the gradient anew, without the inner one."""

    @dataclass
    class Anew(Technique):
        changes: ClassVar = "gradients"

        def wrap_gradient(self, gradient: Any, run: Run) -> Any:
            plain = run.placement.gradient(run.model)

            def anew(objective: Any, batches: Sequence[Batch]) -> Any:
                outcome = plain(objective, batches)
                for p in run.trainable():
                    p.grad *= 0.9
                return outcome

            return anew

    recipe = base(techniques=(Anew(), Clip(max_norm=0.01)))
    assert says(recipe, "techniques").startswith("clip(max_norm=0.01):")
    assert found(recipe)["techniques"] == "failed"


# ---- the data ----


class Misaligned(Tensors):
    """Targets come in the order of their ids, inputs in that which was asked for."""

    def fetch(self, ids: Tensor, draw: int) -> tuple[Any, Any]:
        return super().fetch(ids, draw)[0], super().fetch(ids.sort().values, draw)[1]


class Noisy(Tensors):
    def fetch(self, ids: Tensor, draw: int) -> tuple[Any, Any]:
        inputs, targets = super().fetch(ids, draw)
        return inputs + 0.1 * torch.randn(inputs.shape), targets


def rows_of(kind: type[Tensors]) -> Any:
    def data() -> Data:
        made = uneven()
        return replace(made, train=kind(*made.train.content()))

    return data


def test_targets_that_do_not_stay_with_their_inputs() -> None:
    recipe = base(data=rows_of(Misaligned))
    assert found(recipe)["rows"] == "failed"
    assert "targets" in says(recipe, "rows")


def test_inputs_that_are_drawn_without_a_key_are_said() -> None:
    assert found(base(data=rows_of(Noisy)))["rows"] == "note"


def test_an_order_that_shows_some_rows_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    from danlu.placement.order import Plan

    ids = Plan.ids
    monkeypatch.setattr(Plan, "ids", lambda self, step: ids(self, step) // 2)
    assert found(base())["rows"] == "failed"


def test_the_reference_shares_no_seam_with_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the loop's gradient set to zero the reference still has one."""

    def nothing(self: Placement, model: nn.Module) -> Any:
        inner = gradient(self, model)

        def zero(objective: Any, batches: Any) -> Any:
            outcome = inner(objective, batches)
            for p in model.parameters():
                p.grad = None if p.grad is None else torch.zeros_like(p)
            return outcome

        return zero

    gradient = Placement.gradient
    monkeypatch.setattr(Placement, "gradient", nothing)
    verdicts = found(base())
    assert verdicts["gradient"] == verdicts["steps"] == verdicts["overfit"] == "failed"


def test_every_check_can_fail_or_be_noted() -> None:
    """Each line but the cost, which only measures, is red in some test above."""
    text = Path(__file__).read_text("utf-8")
    assert all(f'"{name}"' in text for name in CHECKS if name != "cost")
