"""The loop against loops written by hand in float64: same parameters, whatever the split; the guard; state; closing."""

import copy
import gc
import math
import weakref
from dataclasses import dataclass
from functools import partial

import pytest
import torch
import torch.nn.functional as F
import toys
from torch import nn

from danlu.core import Batch, Loss, Outcome, Recipe, Report, Run, Technique
from danlu.data.source import Data, Facts, Tensors
from danlu.errors import BadInput, Refused
from danlu.keys import Keyed
from danlu.losses.criterion import Criterion
from danlu.optim.first_order import SGD, AdamW
from danlu.optim.schedules import Cosine
from danlu.techniques.gradient.clip import Clip
from danlu.techniques.gradient.sam import SAM
from danlu.techniques.reports.early_stop import EarlyStop
from danlu.techniques.update.ema import EMA

# ---- against loops written by hand ----------------------------------------


def distance(run, model):
    return max((p - q).abs().max().item() for p, q in zip(run.model.parameters(), model.parameters()))


@pytest.mark.parametrize(
    "ours, theirs",
    [
        (SGD(lr=0.1, momentum=0.9), partial(torch.optim.SGD, lr=0.1, momentum=0.9)),
        (partial(torch.optim.SGD, lr=0.1, momentum=0.9, nesterov=True), partial(torch.optim.SGD, lr=0.1, momentum=0.9, nesterov=True)),
        (AdamW(lr=1e-2, weight_decay=0.0), partial(torch.optim.AdamW, lr=1e-2, weight_decay=0.0)),
        (torch.optim.AdamW, torch.optim.AdamW),
    ],
    ids=["sgd", "nesterov", "adamw", "adamw of torch"],
)
def test_twenty_steps_are_those_of_a_loop_written_by_hand(ours, theirs):
    run = Run(toys.recipe(optimizer=ours, steps=20, batch_size=16))  # 40 rows: every third batch is a short one
    model = toys.twin(run)
    optimizer = theirs(model.parameters())
    for step, report in enumerate(run):
        x, y = toys.rows_of(run, step)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        assert float(report.loss) == pytest.approx(loss.item(), abs=1e-12)
    assert run.step == 20 and distance(run, model) < 1e-12


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_an_optimiser_that_asks_for_the_loss_itself(search):
    kind = partial(torch.optim.LBFGS, lr=0.5, max_iter=4, history_size=5, line_search_fn=search)
    run = Run(toys.recipe(optimizer=kind, steps=8, batch_size=20, micro_batch_size=5))
    model = toys.twin(run)
    optimizer = kind(model.parameters())
    for step, _ in enumerate(run):
        x, y = toys.rows_of(run, step)

        def closure(x=x, y=y):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            return loss

        optimizer.step(closure)
    assert distance(run, model) < 1e-9  # a line search magnifies rounding


def test_the_schedule_is_a_factor_of_every_groups_rate():
    kind = lambda params: torch.optim.SGD(
        [{"params": [p for _, p in params][:1], "lr": 0.2}, {"params": [p for _, p in params][1:]}], lr=0.1
    )
    run = Run(toys.recipe(optimizer=kind, schedule=Cosine(), steps=10))
    model = toys.twin(run)
    weights = list(model.parameters())
    for step, report in enumerate(run):
        x, y = toys.rows_of(run, step)
        share = 0.5 * (1 + math.cos(math.pi * step / 10))
        grads = torch.autograd.grad(F.cross_entropy(model(x), y), weights)
        with torch.no_grad():
            for place, (p, g) in enumerate(zip(weights, grads)):
                p -= (0.2 if place == 0 else 0.1) * share * g
        assert report.lr == pytest.approx(0.2 * share)
    assert distance(run, model) < 1e-12


# ---- any split is the same training ---------------------------------------


@pytest.mark.parametrize("micro", [8, 12, 5, 32])
def test_any_split_with_dropout_and_unequal_counts(micro):
    fields = {"model": toys.normed, "data": toys.tokens, "steps": 7, "batch_size": 32}  # 40 rows: every other batch has 8
    whole, split = toys.trained(**fields), toys.trained(**fields, micro_batch_size=micro)
    assert toys.apart(whole, split) < 1e-12


def test_unequal_counts_against_torchs_mean_over_all_labels():
    run = Run(toys.recipe(data=toys.tokens, steps=6, batch_size=32, micro_batch_size=5))
    model = toys.twin(run)
    optimizer = toys.sgd(momentum=0.9)(model.parameters())
    for step, report in enumerate(run):
        x, y = toys.rows_of(run, step)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
        loss.backward()
        optimizer.step()
        assert float(report.outcome.counts["tokens"]) == (y != -100).sum()
        assert float(report.loss) == pytest.approx(loss.item(), abs=1e-12)
    assert distance(run, model) < 1e-12


def test_a_short_last_batch_is_averaged_over_its_own_rows():
    run = Run(toys.recipe(data=lambda: toys.made(rows=35), epochs=2, steps=None, batch_size=8))
    assert run.plan.steps_per_epoch == 5 and run.total == 10
    assert [report.outcome.counts["rows"] for report in run] == [8, 8, 8, 8, 3] * 2


def test_foreign_dropout_is_replayed_in_a_step_and_drawn_anew_in_the_next():
    model = lambda: nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.5), nn.Linear(8, 3))
    seen = []

    @dataclass
    class Look(Technique):
        def wrap_gradient(self, gradient, run):
            def twice(objective, batches):
                for _ in range(2):
                    outcome = gradient(objective, batches)
                    seen.append([p.grad.clone() for p in run.trainable()])
                return outcome

            return twice

    frozen = toys.sgd(lr=0.0)  # the weights stand still, so only the masks differ between epochs
    toys.trained(Look(), model=model, optimizer=frozen, data=lambda: toys.made(8), steps=2, batch_size=8, micro_batch_size=4)
    first, again, later, later_again = seen
    assert all(map(torch.equal, first, again)) and all(map(torch.equal, later, later_again))
    assert not any(map(torch.equal, first, later))


# ---- terms and denominators ------------------------------------------------


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.a, self.b = nn.Linear(6, 8), nn.Linear(8, 3), nn.Linear(8, 1)

    def forward(self, x):
        h = self.body(x).tanh()
        return {"a": self.a(h), "b": self.b(h).squeeze(-1)}


def two_targets():
    """Labels of which half are ignored for one head, numbers for the other."""
    g = torch.Generator().manual_seed(1)
    x = torch.randn(40, 6, generator=g)
    label = torch.randint(0, 3, (40,), generator=g)
    label[torch.rand(40, generator=g) < 0.5] = -100
    return Data(Tensors(x, {"label": label, "value": x.sum(1)}), Facts("regress", (6,), 1))


def two_heads(decay=1e-2):
    def sums(model, batch):
        out = model(batch.inputs)
        l1 = decay * sum(p.abs().sum() for p in model.parameters())
        a = F.cross_entropy(out["a"], batch.targets["label"], ignore_index=-100, reduction="sum")
        b = ((out["b"] - batch.targets["value"]) ** 2).sum()
        return Loss({"a": (a, "labels"), "b": (b, "rows"), "l1": (l1, "once")})

    def counts(batch):
        return {"labels": float((batch.targets["label"] != -100).sum())}

    return Criterion(lambda output, batch: None, counts, loss_name="two_heads", whole=sums)


@pytest.mark.parametrize("micro", [None, 8, 3])
def test_each_term_is_divided_by_its_own_count(micro):
    run = Run(toys.recipe(model=TwoHeads, data=two_targets, loss=two_heads(), steps=6, batch_size=32, micro_batch_size=micro))
    model = toys.twin(run)
    optimizer = toys.sgd(momentum=0.9)(model.parameters())
    for step, report in enumerate(run):
        x, y = toys.rows_of(run, step)
        optimizer.zero_grad()
        out = model(x)
        terms = {
            "a": F.cross_entropy(out["a"], y["label"]),
            "b": F.mse_loss(out["b"], y["value"]),
            "l1": 1e-2 * sum(p.abs().sum() for p in model.parameters()),
        }
        sum(terms.values()).backward()
        optimizer.step()
        assert {name: float(value) for name, value in report.outcome.terms.items()} == pytest.approx(
            {name: value.item() for name, value in terms.items()}, abs=1e-12
        )
        assert float(report.loss) == pytest.approx(sum(terms.values()).item(), abs=1e-12)
    assert distance(run, model) < 1e-12


def nothing_labelled(rows=16):
    data = toys.tokens(rows)
    data.train.targets.fill_(-100)
    return data


def test_a_count_of_zero_gives_zero():
    run = Run(toys.recipe(data=nothing_labelled, steps=3, micro_batch_size=4))
    before = toys.state(run)
    for report in run:
        assert float(report.loss) == 0.0 and bool(report.outcome.finite)
    assert all(torch.equal(value, before[name]) for name, value in toys.state(run).items())


def test_one_head_without_labels_leaves_the_other_as_it_is():
    def unlabelled():
        data = two_targets()
        data.train.targets["label"].fill_(-100)
        return data

    def alone(model, batch):
        return {"b": ((model(batch.inputs)["b"] - batch.targets["value"]) ** 2).sum()}

    both = toys.trained(model=TwoHeads, data=unlabelled, loss=two_heads(decay=0.0), batch_size=16, micro_batch_size=4)
    one = toys.trained(model=TwoHeads, data=unlabelled, loss=alone, batch_size=16, micro_batch_size=4)
    assert toys.apart(both, one) < 1e-12


def test_a_term_over_a_count_that_nobody_counted_is_a_sentence():
    loss = lambda model, batch: Loss({"mine": (model(batch.inputs).square().sum(), "widgets")})
    with pytest.raises(BadInput, match=r"mine.*widgets|widgets.*mine"):
        toys.trained(loss=loss)


def test_the_mean_of_a_loss():
    loss = Loss({"a": (torch.tensor(6.0), "rows"), "b": (torch.tensor(1.5), "once"), "c": (torch.tensor(0.0), "none")})
    assert float(loss.mean({"rows": 3, "once": 1.0, "none": 0})) == 3.5


# ---- the guard --------------------------------------------------------------


@pytest.mark.parametrize("kind", [toys.sgd(momentum=0.9), torch.optim.AdamW], ids=["sgd", "adamw"])
@pytest.mark.parametrize("micro", [None, 4])
def test_a_step_that_is_not_finite_moves_nothing_and_the_next_one_does(kind, micro):
    model = toys.batch_normed if micro is None else toys.normed
    run = Run(toys.recipe(toys.Spoil(at=(2,)), EMA(), model=model, optimizer=kind, steps=6, micro_batch_size=micro))
    states = [copy.deepcopy(run.state())]
    finite = []
    for report in run:
        states.append(copy.deepcopy(run.state()))
        finite.append(bool(report.outcome.finite))
    assert finite == [True, True, False, True, True, True]

    def same(a, b):
        if isinstance(a, torch.Tensor):
            return torch.equal(a, b)
        return all(same(a[key], b[key]) for key in a) if isinstance(a, dict) else a == b

    for key in ("model", "optimizer", "techniques", "placement"):
        assert same(states[2][key], states[3][key]), key
    for earlier, later in zip((0, 1, 3, 4), (1, 2, 4, 5)):
        assert not same(states[earlier]["model"], states[later]["model"])


def test_the_guard_is_the_same_as_not_taking_the_step():
    run = Run(toys.recipe(toys.Spoil(at=(1, 3)), steps=6))
    model = toys.twin(run)
    optimizer = toys.sgd(momentum=0.9)(model.parameters())
    for step, _ in enumerate(run):
        if step not in (1, 3):
            x, y = toys.rows_of(run, step)
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
    assert distance(run, model) < 1e-12


@dataclass
class Poison(Technique):
    """Turn a finite gradient into NaN in some steps (counted from 1)."""

    at: tuple[int, ...] = (3,)

    def wrap_gradient(self, gradient, run):
        def poisoned(objective, batches):
            outcome = gradient(objective, batches)
            if batches[0].step + 1 in self.at:
                run.trainable()[0].grad[0, 0] = float("nan")
            return outcome

        return poisoned


def test_a_technique_that_spoils_a_finite_gradient_moves_nothing():
    run = Run(toys.recipe(Poison(), model=toys.batch_normed, steps=5))
    before, moved = toys.state(run), []
    for report in run:
        after = toys.state(run)
        same = all(torch.equal(before[name], value) for name, value in after.items())
        assert same != report.outcome.moved and report.outcome.moved == bool(report.outcome.finite)
        moved.append(report.outcome.moved)
        before = after
    assert moved == [True, True, False, True, True]


def test_an_interrupted_step_leaves_no_random_key_behind():
    def stopped(output, target):
        if Keyed.ids is not None and Keyed.step == 1:
            raise KeyboardInterrupt
        return F.cross_entropy(output, target, reduction="sum")

    steps = iter(Run(toys.recipe(model=toys.normed, loss=stopped)))
    next(steps)
    with pytest.raises(KeyboardInterrupt):
        next(steps)
    assert Keyed.ids is None


def test_fp16_halves_its_scale_after_a_step_that_is_not_finite():
    run = Run(toys.recipe(toys.Spoil(at=(1, 2)), precision="fp16", steps=5))
    assert [run.placement.precision.scale for _ in run] == [65536.0, 32768.0, 16384.0, 16384.0, 16384.0]


class Root(nn.Module):
    """One number whose loss, -log w, is not a number where w is negative."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.tensor([1.0]))

    def forward(self, x):
        return self.w.expand(len(x))


@pytest.mark.filterwarnings("ignore:step .. the line search found no lower loss")
@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_a_line_search_that_ends_where_nothing_is_finite_is_undone(search):
    cliff = lambda model, batch: (torch.log(model(batch.inputs)) + model(batch.inputs)).sum()  # falls without end towards 0
    kind = partial(torch.optim.LBFGS, lr=10.0, max_iter=6, line_search_fn=search)
    run = Run(toys.recipe(model=Root, loss=cliff, optimizer=kind, steps=4))
    for report in run:
        value = run.model.w.item()
        assert math.isfinite(value)
        assert math.isfinite(float(report.loss))
        if search is None:
            assert not bool(report.outcome.finite) and value == 1.0 and not run.optimizer.state


@pytest.mark.parametrize(
    "precision, stored", [("bf16", torch.float32), ("fp16", torch.float32), ("fp32", torch.float32), ("fp64", torch.float64)]
)
def test_every_precision_trains(precision, stored):
    run = Run(toys.recipe(precision=precision, steps=30, data=lambda: toys.made(64), micro_batch_size=4, optimizer=torch.optim.AdamW))
    losses = [float(report.loss) for report in run]
    assert all(map(math.isfinite, losses)) and sum(losses[-5:]) < sum(losses[:5])
    assert {p.dtype for p in run.model.parameters()} == {stored}


# ---- iterating, stopping, state --------------------------------------------


def test_to_stop_iterating_is_to_stop_and_to_iterate_again_is_to_go_on():
    whole, parts = (
        toys.trained(EMA(), steps=9, data=lambda: toys.made(40, held_out=8)),
        Run(toys.recipe(EMA(), steps=9, data=lambda: toys.made(40, held_out=8))),
    )
    seen = []
    while parts.step < parts.total:
        for _, report in zip(range(2), parts):
            seen.append(report.step)
    assert seen == list(range(1, 10)) and toys.apart(whole, parts) == 0.0
    assert list(parts) == []


def test_a_report_says_where_the_run_is():
    run = Run(toys.recipe(epochs=1.5, steps=None))
    reports = list(run)
    assert run.total == 8 and [r.step for r in reports] == list(range(1, 9))
    assert [r.epoch for r in reports] == pytest.approx([step / 5 for step in range(1, 9)])
    assert all(isinstance(r, Report) and isinstance(r.outcome, Outcome) and not r.loss.requires_grad for r in reports)


def test_the_core_saves_outside_the_outermost_reports():
    order = []

    @dataclass
    class Outer(Technique):
        def wrap_reports(self, reports, run):
            for report in reports:
                report.save.add("latest")
                order.append(("outer", report.step))
                yield report
                order.append(("after", report.step))

    run = Run(toys.recipe(Outer(), steps=2), save=lambda run, report: order.append(("save", report.step, run.step)))
    for report in run:
        order.append(("user", report.step))
    assert order == [x for s in (1, 2) for x in (("outer", s), ("save", s, s), ("user", s), ("after", s))]


def test_the_first_technique_is_the_outermost_at_every_seam():
    calls = []

    @dataclass
    class Mark(Technique):
        name: str = ""

        def _mark(self, seam, thing):
            calls.append((seam, self.name))
            return thing

        def wrap_model(self, model, run):
            return self._mark("model", model)

        def wrap_gradient(self, gradient, run):
            return lambda objective, batches: self._mark("look", gradient)(objective, batches)

        def wrap_stream(self, stream, run):
            return self._mark("stream", stream)

    run = Run(toys.recipe(Mark("first"), Mark("second"), steps=1))
    list(run)
    assert calls == [(seam, name) for seam, names in [("model", "21"), ("stream", "21"), ("look", "12")] for name in
                     ({"1": "first", "2": "second"}[n] for n in names)]  # fmt: skip


def tied():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two, self.out = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 3)
            self.two.weight = self.one.weight

        def forward(self, x):
            return self.out(self.two(self.one(x).tanh()))

    return Tied()


@pytest.mark.parametrize(
    "kind", [toys.sgd(momentum=0.9), AdamW(lr=1e-2), partial(torch.optim.LBFGS, max_iter=3)], ids=["sgd", "adamw", "lbfgs"]
)
@pytest.mark.parametrize("model", [toys.batch_normed, tied])
@pytest.mark.parametrize("k", [0, 1, 5])
def test_state_and_load_go_on_bit_for_bit(kind, model, k):
    fields = {"model": model, "optimizer": kind, "schedule": Cosine(warmup=2), "steps": 8, "data": lambda: toys.made(40, held_out=8)}
    whole = toys.trained(EMA(), EarlyStop(), **fields)
    half, again = toys.steps(Run(toys.recipe(EMA(), EarlyStop(), **fields)), k), Run(toys.recipe(EMA(), EarlyStop(), **fields))
    again.load(half.state())
    toys.steps(half, 2)  # what was loaded is a copy
    assert again.step == k
    list(again)
    assert toys.apart(whole, again) == 0.0
    for name, value in whole.kept_weights().items():
        assert torch.equal(value, again.kept_weights()[name])


def test_tied_tensors_are_in_the_state_once_under_their_first_name():
    run = toys.trained(EMA(), model=tied, optimizer=toys.sgd(momentum=0.9))
    names = {"one.weight", "one.bias", "two.bias", "out.weight", "out.bias"}
    assert run.state()["model"].keys() == names == run.state()["optimizer"]["state"].keys()
    assert run.kept_weights().keys() == names


def test_the_horizon_is_stored_and_the_schedule_follows_it():
    whole = toys.steps(Run(toys.recipe(schedule=Cosine(), steps=12)), 4)
    grown = Run(toys.recipe(schedule=Cosine(), steps=6))  # data that grew or shrank since: `epochs` would give another number
    grown.load(whole.state())
    assert [r.lr for r in grown] == [r.lr for r in whole] and grown.step == 12


def test_a_state_of_another_model_is_refused_with_the_tensor():
    state = Run(toys.recipe()).state()
    with pytest.raises(Refused, match=r"0\.weight.*\(8, 6\).*\(9, 6\)"):
        Run(toys.recipe(model=lambda: nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 3)))).load(state)
    with pytest.raises(Refused, match=r"4\.weight"):
        Run(toys.recipe(model=lambda: nn.Sequential(*toys.net(), nn.Tanh(), nn.Linear(3, 3)))).load(state)


def test_a_recipe_is_used_up_by_no_run():
    live = toys.net()
    start = copy.deepcopy(live.state_dict())
    recipe = toys.recipe(EMA(), EarlyStop(), model=live)
    first, second = Run(recipe), Run(recipe)
    toys.steps(first, 6)
    toys.steps(second, 6)
    assert toys.apart(first, second) == 0.0
    assert all(torch.equal(value, start[name]) for name, value in live.state_dict().items())
    assert not hasattr(recipe.techniques[0], "average")


def test_the_global_generator_is_left_alone_by_building():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    Run(toys.recipe())
    assert torch.equal(before, torch.get_rng_state())


def test_the_seed_alone_decides():
    a, b = toys.trained(model=toys.normed), toys.trained(model=toys.normed)
    torch.manual_seed(123)
    c, d = toys.trained(model=toys.normed), toys.trained(model=toys.normed, seed=1)
    assert toys.apart(a, b) == toys.apart(a, c) == 0.0 and toys.apart(a, d) > 0


# ---- fork -------------------------------------------------------------------


@pytest.mark.parametrize("model", [toys.normed, toys.normed()], ids=["made", "live"])
def test_a_fork_goes_on_as_the_run_would_and_is_no_twin(model):
    whole = toys.trained(EMA(), model=model, schedule=Cosine())
    run = toys.steps(Run(toys.recipe(EMA(), model=model, schedule=Cosine())), 3)
    before, fork = toys.state(run), run.fork()
    assert fork.step == 3
    list(fork)
    assert toys.apart(whole, fork) == 0.0
    assert all(torch.equal(value, before[name]) for name, value in toys.state(run).items())
    list(run)
    assert toys.apart(whole, run) == 0.0


def test_what_a_changed_field_owned_starts_fresh_in_a_fork():
    run = toys.steps(Run(toys.recipe(EMA(), precision="fp32", optimizer=toys.sgd(momentum=0.9))), 3)
    run.placement.precision.streak = 7
    other = run.fork(optimizer=torch.optim.AdamW)
    assert other.step == 3 and not other.optimizer.state and toys.apart(run, other) == 0.0
    assert torch.equal(other.kept_weights()["0.weight"], run.kept_weights()["0.weight"])  # the average is not the optimiser's
    clipped = run.fork(techniques=(EMA(), Clip()))
    assert clipped.techniques[0].moves == 3 and clipped.step == 3 and len(clipped.optimizer.state) == 4
    fresh = run.fork(techniques=(EMA(decay=0.5),))
    assert fresh.techniques[0].moves == 0 and torch.equal(fresh.kept_weights()["0.weight"], run.model[0].weight)
    half = run.fork(precision="fp16")
    assert (half.placement.precision.scale, half.placement.precision.streak) == (65536.0, 0)
    assert half.fork(precision="fp32").placement.precision.scale == 1.0
    longer = run.fork(steps=10)
    assert longer.total == 10 and longer.step == 3
    double = run.fork(precision="fp64")
    list(double)
    assert {p.dtype for p in double.model.parameters()} == {torch.float64}


# ---- closing ----------------------------------------------------------------


@pytest.mark.parametrize("techniques", [(), (EMA(), SAM(), Clip(), EarlyStop())], ids=["plain", "many"])
def test_nothing_stays_alive_after_close(techniques):
    run = Run(toys.recipe(*techniques, model=toys.batch_normed, data=lambda: toys.made(40, held_out=8)))
    reports = list(run)
    live = [*run.model.modules(), *run.model.parameters(), *run.model.buffers(), run.optimizer, run.placement, *run.techniques]
    refs = [weakref.ref(thing) for thing in live]
    del live
    run.close()
    gc.collect()
    assert [ref() for ref in refs if ref() is not None] == []
    assert run.step == 6 and reports
    run.close()  # twice is once


def test_a_with_block_closes_also_a_run_that_was_stopped():
    with Run(toys.recipe()) as run:
        ref = weakref.ref(run.model)
        for _ in run:
            break
    gc.collect()
    assert ref() is None


# ---- refusals ---------------------------------------------------------------


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"epochs": 1.0}, "exactly one"),
        ({"steps": None}, "exactly one"),
        ({"steps": 0}, "steps"),
        ({"steps": None, "epochs": 0.0}, "epochs"),
        ({"steps": None, "epochs": math.nan}, "epochs"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 41}, "40 rows"),
        ({"micro_batch_size": 0}, "micro_batch_size"),
        ({"precision": "fp8"}, "fp16"),
        ({"device": "moon"}, "moon"),
    ],
)
def test_fields_that_cannot_be_are_named(fields, words):
    with pytest.raises(BadInput, match=words):
        Run(toys.recipe(**fields))


def test_nothing_trainable_is_refused():
    with pytest.raises(Refused, match="requires a gradient"):
        Run(toys.recipe(model=toys.net().requires_grad_(False)))


def test_frozen_parameters_stay_and_have_no_state():
    model = toys.net()
    model[0].requires_grad_(False)
    run = Run(toys.recipe(EMA(), Clip(), SAM(), model=model))
    before = toys.state(run)
    list(run)
    after = toys.state(run)
    assert {name for name in after if not torch.equal(before[name], after[name])} == {"2.weight", "2.bias"}
    assert run.state()["optimizer"]["state"].keys() == {"2.weight", "2.bias"}


def test_an_average_that_nobody_keeps_is_a_sentence():
    with pytest.raises(BadInput, match="ema"):
        Run(toys.recipe()).kept_weights("ema")


def test_kept_weights():
    run = toys.trained(EMA())
    assert run.kept_weights("raw") is None
    assert run.kept_weights("auto") is run.kept_weights("ema") is run.techniques[0].average
    assert torch.equal(run.kept_weights("raw", whole=True)["0.weight"], run.model[0].weight)


def test_state_of_two_of_a_kind_has_two_names():
    run = Run(toys.recipe(EMA(decay=0.5), Clip(), EMA(decay=0.9)))
    assert [name for name, _ in run.named_techniques()] == ["ema.0", "clip.0", "ema.1", "nonfinite.0"]
    assert run.state()["techniques"].keys() == {"ema.0", "ema.1", "nonfinite.0"}


def test_the_core_is_small():
    from pathlib import Path

    import danlu.core

    assert len(Path(danlu.core.__file__).read_text("utf-8").splitlines()) <= 250
    assert isinstance(Batch(torch.zeros(1, 2), torch.zeros(1), torch.tensor([0])), Batch) and Recipe(None, None).loss == "auto"


@pytest.mark.parametrize("block", [torch.no_grad, torch.inference_mode])
def test_a_step_where_torch_takes_no_gradients_is_refused(block):
    """A technique's gradients are zero there and nothing moves, without an error of torch's."""
    run = Run(toys.recipe())
    with block(), pytest.raises(BadInput, match="no_grad"):
        next(iter(run))
    assert len(list(run)) == run.total
