"""What a bad step leaves, and whether what is named really is the first: against modules and rows that are known to be at fault."""

import copy
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import toys
from torch import nn

from danlu.core import Run, Technique
from danlu.data.source import Data, Facts, Tensors
from danlu.errors import DIVERGED, Diverged, speak
from danlu.techniques.gradient.sam import SAM
from danlu.techniques.stream.mixup import MixUp
from danlu.techniques.update.ema import EMA
from danlu.techniques.update.nonfinite import Nonfinite, said


def same(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return len(a) == len(b) and all(map(same, a, b)) if isinstance(a, list | tuple) else a == b


class Spoiled(Tensors):
    """Rows of which one is bad whenever it is trained on; data that are bad from the start are refused before a run begins."""

    def __init__(self, x, y, row, value, target):
        super().__init__(x, y)
        self.row, self.value, self.target = row, value, target

    def fetch(self, ids, draw):
        x, y = (part.clone() for part in super().fetch(ids, draw))
        if draw:
            (y if self.target else x)[ids == self.row] = self.value
        return x, y


def bad_row(row, value=float("nan"), target=False, rows=40):
    """Rows of numbers to predict, one of them with `value` for its inputs or its target."""

    def data():
        x = torch.randn(rows, 6, generator=torch.Generator().manual_seed(0))
        return Data(Spoiled(x, x[:, :1] * 2, row, value, target), Facts("regress", (6,), 1, rows=rows))

    return data


def regression():
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1))


def numbers(*techniques, **fields):
    return toys.recipe(*techniques, **({"model": regression, "loss": nn.MSELoss(), "optimizer": toys.sgd(lr=0.01), "steps": 5} | fields))


def step_of(run, row):
    """The step of the first epoch that sees a row."""
    return next(step for step in range(run.plan.steps_per_epoch) if row in run.plan.ids(step))


class Break(torch.autograd.Function):
    """The identity, but for samples whose first number is above 1e3: there what goes forward, or what comes back, is infinite."""

    @staticmethod
    def forward(ctx, x, breaks_forward):
        ctx.big = None if breaks_forward else x[:, 0].abs() > 1e3
        x = x.clone()
        if breaks_forward:
            x[x[:, 0].abs() > 1e3] = float("inf")
        return x

    @staticmethod
    def backward(ctx, gradient):
        gradient = gradient.clone()
        if ctx.big is not None:
            gradient[ctx.big] = float("inf")
        return gradient, None


class Breaks(nn.Module):
    def __init__(self, forward):
        super().__init__()
        self.breaks_forward = forward

    def forward(self, x):
        return Break.apply(x, self.breaks_forward)


class Branch(nn.Module):
    """Two layers, and between them something that is no module."""

    def __init__(self):
        super().__init__()
        self.first, self.second = eye(), nn.Linear(6, 1)

    def forward(self, x):
        return self.second(Break.apply(self.first(x), False))


def eye():
    layer = nn.Linear(6, 6)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(6))
        layer.bias.zero_()
    return layer


@pytest.fixture(autouse=True)
def english():
    speak("en")
    yield
    speak(None)


# ---- what is named ----


@pytest.mark.parametrize("micro", [None, 3, 1])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("target", [False, True])
def test_a_bad_row_is_named_alone_however_the_batch_is_split(micro, value, target):
    run = Run(numbers(data=bad_row(17, value, target), micro_batch_size=micro))
    at = step_of(run, 17)
    for report in run:
        named = report.metrics.get("nonfinite_in"), report.metrics.get("nonfinite_ids")
        assert named == (("the targets" if target else "the inputs", [17]) if report.step == at + 1 else (None, None))


@pytest.mark.parametrize("place", [0, 1, 2, 3])
@pytest.mark.parametrize("forward", [True, False])
def test_the_module_that_is_named_is_the_one_that_breaks(place, forward):
    """Before and after each other module; forward it is named by its output, backward by its pass, and the sample is the big one."""

    def model():
        layers = [eye(), nn.Identity(), eye(), nn.Linear(6, 1)]
        return nn.Sequential(*layers[:place], Breaks(forward), *layers[place:])

    run = Run(numbers(model=model, data=bad_row(23, 2e3), loss=nn.L1Loss(), optimizer=toys.sgd(lr=1e-9)))
    found = [report.metrics for report in run if report.metrics]
    if place == 0 and not forward:  # its gradient goes into inputs that want none
        assert found == []
        return
    name = f"the output of `{place}`" if forward else f"the backward pass of `{place}`"
    assert found == [{"nonfinite_in": name, "nonfinite_ids": [23]}]


def test_what_is_no_module_is_named_by_what_it_follows():
    run = Run(numbers(model=Branch, data=bad_row(23, 2e3), optimizer=toys.sgd(lr=1e-9)))
    (found,) = [report.metrics for report in run if report.metrics]
    assert found == {"nonfinite_in": "the backward pass of what follows `first`", "nonfinite_ids": [23]}


def test_a_loss_that_breaks_is_named_with_its_samples():
    def loss(output, target):
        off = (output - target).abs().sum(1)
        return off + torch.where(target[:, 0] > 1e3, torch.inf, 0.0)

    run = Run(numbers(data=bad_row(9, 2e3, target=True), loss=loss, optimizer=toys.sgd(lr=1e-9)))
    (found,) = [report.metrics for report in run if report.metrics]
    assert found["nonfinite_in"] == "the loss" and 9 in found["nonfinite_ids"]


def test_one_gradient_is_named_by_its_parameter():
    class Sour(torch.autograd.Function):
        @staticmethod
        def forward(ctx, weight):
            return weight * 1

        @staticmethod
        def backward(ctx, gradient):
            return gradient * float("nan")

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.last = nn.Linear(6, 6), nn.Linear(6, 1)

        def forward(self, x):
            return self.last(F.linear(x, Sour.apply(self.inner.weight), self.inner.bias))

    (report,) = Run(numbers(model=Model, steps=1, data=bad_row(0, 1.0)))
    assert report.metrics["nonfinite_in"] == "the gradient of `inner.weight`" and not report.outcome.moved


@dataclass
class Sours(Technique):
    """Make NaN of a finite gradient."""

    def wrap_gradient(self, gradient, run):
        def sour(objective, batches):
            outcome = gradient(objective, batches)
            run.trainable()[0].grad.fill_(float("nan"))
            return outcome

        return sour


def test_a_technique_that_makes_it_is_not_laid_on_a_module():
    run = Run(numbers(Sours(), steps=1, data=bad_row(0, 1.0), micro_batch_size=4))
    (report,) = run
    assert report.metrics["nonfinite_in"] == "what a technique or the optimizer made of finite numbers"
    assert sorted(report.metrics["nonfinite_ids"]) == sorted(run.plan.ids(0).tolist())


@pytest.mark.parametrize("micro", [None, 2])
def test_sam_does_not_lay_it_on_the_other_micro_batches(micro):
    """Uphill along a gradient that is NaN every output is NaN; that is no cause."""
    run = Run(numbers(SAM(), data=bad_row(17), micro_batch_size=micro))
    assert [report.metrics["nonfinite_ids"] for report in run if report.metrics] == [[17]]


def test_mixup_spoils_the_pair_and_both_are_named():
    run = Run(numbers(MixUp(alpha=1.0), data=bad_row(17), micro_batch_size=4))
    ids = run.plan.ids(step_of(run, 17)).tolist()
    pair = ids.index(17) // 2 * 2
    (found,) = [report.metrics for report in run if report.metrics]
    assert sorted(found["nonfinite_ids"]) == sorted(ids[pair : pair + 2]) and found["nonfinite_in"] == "the inputs"


def test_looking_again_moves_nothing():
    """With BatchNorm and dropout: the run with a bad row is the run that leaves that step out, buffers included."""
    model = lambda: nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Linear(8, 1))

    @dataclass
    class LeaveOut(Technique):
        def wrap_update(self, update, run):
            def left(evaluate):
                if run.step != at:
                    return update(evaluate)
                outcome = evaluate()
                run.placement.finish(False)
                return outcome

            return left

    bad = Run(numbers(model=model, data=bad_row(17)))
    at = step_of(bad, 17)
    other = Run(numbers(LeaveOut(), model=model, data=bad_row(17)))
    for _ in zip(bad, other, strict=True):
        assert toys.apart(bad, other) == 0.0
    for run in (bad, other):
        assert not [hook for module in run.model[1:].modules() for hook in (*module._forward_hooks, *module._forward_pre_hooks)]
        assert not any(p._backward_hooks for p in run.model.parameters())


# ---- a loss scale that is too high is nobody's fault ----


def test_an_overflow_of_the_loss_scale_is_no_culprit():
    def loss(output, target):
        return (output - target).square().sum(1) * 8

    run = Run(numbers(Nonfinite("halt"), precision="fp16", data=bad_row(0, 1.0), loss=loss, steps=12))
    run.placement.precision.scale = 2.0**24
    reports = list(run)  # does not halt
    assert not reports[0].outcome.moved and reports[-1].outcome.moved
    assert not any(report.metrics for report in reports) and run.placement.precision.scale < 2.0**24


def test_a_bad_row_is_named_in_fp16_whatever_the_scale():
    run = Run(numbers(precision="fp16", data=bad_row(17)))
    (report,) = [report for report in run if report.metrics]
    assert report.metrics["nonfinite_ids"] == [17] and report.outcome.scale > 1


def test_a_loss_that_is_not_finite_while_its_gradient_is():
    """log of zero in a term that no gradient goes through: named, and the step moves nothing."""

    def loss(output, target):
        return (output - target).square().sum(1) + torch.where(target[:, 0] > 1e3, torch.inf, 0.0)

    run = Run(numbers(data=bad_row(5, 2e3, target=True), loss=loss, optimizer=toys.sgd(lr=1e-9)))
    before = toys.state(run)
    for report in run:
        bad = report.step == step_of(run, 5) + 1
        assert report.outcome.moved != bad and ("nonfinite_in" in report.metrics) == bad
        assert all(torch.isfinite(p.grad).all() for p in run.model.parameters())
        assert same(before, toys.state(run)) == bad
        before = toys.state(run)
        if bad:
            assert report.metrics["nonfinite_in"] == "the loss" and not bool(torch.isfinite(report.loss))


# ---- the policies ----


@pytest.mark.parametrize("optimizer", [toys.sgd(momentum=0.9), torch.optim.AdamW, lambda p: torch.optim.LBFGS(p, max_iter=2)])
def test_skip_leaves_the_whole_state_as_it_was(optimizer):
    run = Run(numbers(EMA(), data=bad_row(17), optimizer=optimizer))
    before = copy.deepcopy(run.state())
    for report in run:
        now = copy.deepcopy(run.state())
        now["step"] = before["step"]
        assert same(before, now) == (report.step == step_of(run, 17) + 1)
        before = now


def test_halt_raises_before_the_step_counts():
    run = Run(numbers(Nonfinite("halt"), data=bad_row(17)))
    at = step_of(run, 17)
    reports = []
    with pytest.raises(Diverged, match=rf"step {at + 1} is not finite, first in the inputs \(samples 17\)"):
        reports.extend(run)
    assert run.step == at == len(reports)
    with pytest.raises(Diverged):  # and again when it is gone on with: nothing is left out in silence
        list(run)


@pytest.mark.parametrize("patience", [1, 2])
def test_rollback_restores_bit_for_bit_what_was_kept(patience):
    technique = Nonfinite("rollback", patience=patience, every=2)
    spoiled = (5, 6)
    run = Run(numbers(EMA(), technique, toys.Spoil(at=spoiled), data=bad_row(0, 1.0), steps=10, optimizer=torch.optim.AdamW))
    states, tried = [copy.deepcopy(run.state())], []
    for report in run:
        states.append(copy.deepcopy(run.state()))
        if "rolled_back_to" in report.metrics:
            kept = report.metrics["rolled_back_to"]
            assert report.step == 5 + patience and kept == 2  # 4 was kept last, 2 has proved itself
            tried.append(report.step)
            for key in ("model", "optimizer"):
                assert same(states[-1][key], states[kept][key]), key
            assert same(states[-1]["techniques"]["ema.0"], states[kept]["techniques"]["ema.0"])
            break
    assert tried and not same(states[-1]["model"], states[0]["model"])


def test_rollback_keeps_todays_rate_and_ends_what_comes_to_nothing():
    run = Run(numbers(Nonfinite("rollback", every=3), toys.Spoil(at=(4, 5, 6, 7)), data=bad_row(0, 1.0), steps=10))
    reports = []

    def train():
        for report in run:
            reports.append(report.metrics.get("rolled_back_to"))
            run.optimizer.param_groups[0]["lr"] = 0.02

    with pytest.raises(Diverged, match="after 3 returns to the weights of step 0"):
        train()
    assert reports == [None] * 4 + [0] * 3
    assert run.optimizer.param_groups[0]["lr"] == 0.02


def test_a_resumed_run_remembers_the_streak():
    """Law 7 in the middle of a streak, and after a return, with every k."""
    recipe = numbers(
        EMA(),
        Nonfinite("rollback", patience=3, every=2),
        toys.Spoil(at=(4, 5, 6, 9)),
        data=bad_row(0, 1.0),
        steps=12,
        optimizer=torch.optim.AdamW,
    )
    whole = Run(recipe)
    wanted = [(report.step, repr(float(report.loss)), report.metrics) for report in whole]
    assert [metrics["rolled_back_to"] for _, _, metrics in wanted if "rolled_back_to" in metrics] == [2]
    for k in range(13):
        half, again = toys.steps(Run(recipe), k), Run(recipe)
        again.load(copy.deepcopy(half.state()))
        assert [(report.step, repr(float(report.loss)), report.metrics) for report in again] == wanted[k:]
        assert toys.apart(again, whole) == 0.0


def test_many_samples_are_counted():
    assert said(list(range(3))) == "0, 1, 2" and said(list(range(40))).endswith("14, 15 and 24 more")


# ---- at the command line ----

RECIPE = """
from torch import nn
from test_nonfinite import bad_row, regression
from danlu.core import Recipe
from danlu.techniques.update.nonfinite import Nonfinite

def bad():
    techniques = (Nonfinite("{policy}"),)
    return Recipe(regression, bad_row(17), nn.MSELoss(), techniques=techniques, batch_size=8, steps=10, device="cpu")
"""


@pytest.mark.slow
@pytest.mark.parametrize("policy, code", [("halt", DIVERGED), ("skip", 0)])
@pytest.mark.parametrize("lang, words", [("en", ["first in the inputs", "samples 17"]), ("zh", ["最先出现在输入", "样本 17"])])
def test_the_command_line_says_it(policy, code, lang, words, tmp_path):
    (tmp_path / "mine.py").write_text(RECIPE.replace("{policy}", policy), encoding="utf-8")
    env = dict(os.environ, PYTHONPATH=os.pathsep.join([str(Path(__file__).parent), *sys.path]))
    asked = [sys.executable, "-m", "danlu", "train", "mine.py:bad", "--out", "run", "--lang", lang]
    done = subprocess.run(asked, cwd=tmp_path, env=env, capture_output=True, text=True, encoding="utf-8", timeout=120)
    assert done.returncode == code, done.stderr
    assert all(word in done.stderr for word in words), done.stderr
    events = [json.loads(line) for line in (tmp_path / "run" / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    kinds = [event for event in events if event["event"] == ("failed" if policy == "halt" else "nonfinite")]
    assert kinds and all(event["samples"] == [17] for event in kinds)
    assert len(kinds) == (1 if policy == "halt" else 2)  # ten steps are two passes over forty rows
