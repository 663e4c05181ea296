"""Buffers move once a step, as torch would have moved them in one look at the unperturbed parameters."""

import pytest
import torch
import torch.nn.functional as F
import toys
from torch import nn

from danlu.core import Run
from danlu.optim.lbfgs import LBFGS
from danlu.placement.buffers import Buffers
from danlu.techniques.gradient.asam import ASAM
from danlu.techniques.gradient.kfac import KFAC
from danlu.techniques.gradient.natural_gradient import NaturalGradient
from danlu.techniques.gradient.sam import SAM


def torchs_own(run, count, sam=0.0):
    """The run's first `count` steps written by hand; with `sam` the second look leaves buffers alone."""
    model = toys.twin(run)
    optimizer = toys.sgd(momentum=0.9)(model.parameters())
    for step in range(count):
        x, y = toys.rows_of(run, step)
        optimizer.zero_grad()
        F.cross_entropy(model(x), y, reduction="sum").div(len(x)).backward()
        if sam:
            climb(model, optimizer, x, y, sam)
        optimizer.step()
    return model


def climb(model, optimizer, x, y, rho):
    weights = list(model.parameters())
    kept, seen = [p.detach().clone() for p in weights], [b.clone() for b in model.buffers()]
    norm = torch.stack([p.grad.norm() for p in weights]).norm()
    with torch.no_grad():
        for p in weights:
            p += rho * p.grad / norm
    optimizer.zero_grad()
    F.cross_entropy(model(x), y, reduction="sum").div(len(x)).backward()
    with torch.no_grad():
        for p, own in zip(weights, kept):
            p.copy_(own)
        for b, own in zip(model.buffers(), seen):
            b.copy_(own)


@pytest.mark.parametrize("precision", ["fp32", "fp64"])
@pytest.mark.parametrize("rows", [7, 8])
@pytest.mark.parametrize("momentum", [0.1, None])
def test_running_statistics_are_torchs_bit_for_bit(precision, rows, momentum):
    model = lambda: nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8, momentum=momentum), nn.Tanh(), nn.Linear(8, 3))
    frozen = toys.sgd(lr=0.0)  # equal weights to the last bit, so that the buffers can be
    run = Run(toys.recipe(model=model, optimizer=frozen, precision=precision, batch_size=rows, data=lambda: toys.made(9 * rows + 3)))
    twin = toys.twin(run)
    # the same views as the run's: a matrix product's last bit depends on how its rows lie in memory
    for batch, _ in zip(run.placement.stream(run.data.train, run.plan, 0, 6), run):
        twin(batch.inputs)
    for (name, mine), theirs in zip(run.model.named_buffers(), twin.buffers()):
        assert torch.equal(mine, theirs), name
    assert run.model[1].num_batches_tracked == 6


def test_training_with_batch_norm_is_torchs():
    run = Run(toys.recipe(model=toys.batch_normed))
    twin = torchs_own(run, 6)
    list(run)
    for (name, mine), theirs in zip(run.model.state_dict().items(), twin.state_dict().values()):
        assert torch.allclose(mine, theirs, rtol=0, atol=1e-12), name


def test_sam_looks_twice_and_moves_buffers_once():
    plain, none = toys.trained(model=toys.batch_normed), toys.trained(SAM(rho=0.0), model=toys.batch_normed)
    assert toys.apart(plain, none) == 0.0
    run = Run(toys.recipe(SAM(rho=0.1), model=toys.batch_normed))
    twin = torchs_own(run, 6, sam=0.1)
    list(run)
    for (name, mine), theirs in zip(run.model.state_dict().items(), twin.state_dict().values()):
        assert torch.allclose(mine, theirs, rtol=0, atol=1e-12), name
    assert run.model[1].num_batches_tracked == 6


OFTEN = {
    "sam": {"techniques": (SAM(rho=0.3),)},
    "asam": {"techniques": (ASAM(rho=0.3),)},
    "kfac": {"techniques": (KFAC(damping=0.1, factor_every=1, inverse_every=1, adapt_every=1),)},
    "natural gradient": {"techniques": (NaturalGradient(damping=0.1),)},
    "natural gradient, cg": {"techniques": (NaturalGradient(damping=0.1, exact_up_to=0),)},
    "lbfgs": {"optimizer": LBFGS(max_iter=4)},
    "lbfgs around kfac in sam": {"optimizer": LBFGS(max_iter=3), "techniques": (SAM(rho=0.1), KFAC(damping=0.1, adapt_every=1))},
}


@pytest.mark.parametrize("fields", OFTEN.values(), ids=OFTEN)
def test_whoever_looks_often_moves_statistics_once_and_from_the_weights_of_the_step(fields):
    run = Run(toys.recipe(model=toys.batch_normed, batch_size=20, steps=4, **fields))
    calls = []
    run.model.register_forward_hook(lambda *_: calls.append(0))
    reports, twin = iter(run), toys.twin(run).train()
    for step in range(4):
        calls.clear()
        twin(toys.rows_of(run, step)[0])
        next(reports)
        assert len(calls) > 1, "it looked once"
        for (name, mine), theirs in zip(run.model.named_buffers(), twin.buffers()):
            assert torch.allclose(mine.double(), theirs.double(), rtol=0, atol=1e-12), (step, name)
        twin.load_state_dict(run.model.state_dict())
    assert run.model[1].num_batches_tracked == 4


class Moving(nn.Module):
    """Buffers that move in every way there is: in place, by a new tensor, counted, only in some batches, and never."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 3)
        self.register_buffer("mean", torch.zeros(6))
        self.register_buffer("new", torch.zeros(6))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        self.register_buffer("seen", torch.zeros((), dtype=torch.bool))
        self.register_buffer("late", torch.ones(()))
        self.register_buffer("still", torch.arange(3.0))

    def forward(self, x):
        if self.training:
            self.mean.lerp_(x.detach().mean(0), 0.5)
            self.new = 0.5 * self.new + 0.5 * x.detach().mean(0)
            self.count += 1
            self.seen |= True
            if bool((x[:, 0] > 1.5).any()):
                self.late += 4.0
        return self.linear(x)


@pytest.mark.parametrize("sam", [(), (SAM(rho=0.1),)], ids=["plain", "sam"])
def test_buffers_of_any_kind(sam):
    run = Run(toys.recipe(*sam, model=Moving, steps=4, batch_size=8))
    homes = [run.model._buffers[name] for name in ("mean", "new", "late")]
    twin = toys.twin(run).train()
    for step, _ in enumerate(run):
        twin(toys.rows_of(run, step)[0])
        for (name, mine), theirs in zip(run.model.named_buffers(), twin.buffers()):
            assert torch.equal(mine, theirs), name
    assert all(run.model._buffers[name] is home for name, home in zip(("mean", "new", "late"), homes))  # who holds one keeps the live one


def test_micro_batches_combine_by_their_rows_also_when_one_begins_late():
    run = Run(toys.recipe(model=Moving, steps=1, batch_size=8, micro_batch_size=3))
    x, _ = toys.rows_of(run, 0)
    parts = x.split(3)
    list(run)
    model = run.model
    wanted = sum(0.5 * part.mean(0) * len(part) for part in parts) / 8
    assert torch.allclose(model.mean, wanted, atol=1e-14) and torch.allclose(model.new, wanted, atol=1e-14)
    assert model.count == 1 and model.seen and torch.equal(model.still, torch.arange(3.0, dtype=torch.float64))
    share = sum(len(part) for part in parts if bool((part[:, 0] > 1.5).any())) / 8
    assert model.late.item() == pytest.approx(1 + 4 * share, abs=1e-14)


@pytest.mark.parametrize("moved", [(0, 1), (1, 0), (1, 1), (0, 0)])
def test_a_buffer_that_only_some_micro_batches_move(moved):
    model = Moving().train()
    buffers = Buffers(model)
    for step in range(2):  # known from the start, and learnt on the way
        before = model.late.item()
        buffers.begin()
        buffers.watch()
        for rows, moves in zip((2, 6), moved):
            model(torch.full((rows, 6), 2.0 if moves else 0.0))
            buffers.collect(rows)
        buffers.settle(lambda value: value)
        assert model.late.item() == before
        buffers.commit()
        assert model.late.item() == pytest.approx(before + 4 * (2 * moved[0] + 6 * moved[1]) / 8), step


def test_an_empty_micro_batch_counts_for_nothing():
    model = nn.BatchNorm1d(2).train()
    buffers = Buffers(model)
    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    wanted = nn.BatchNorm1d(2).train()
    wanted(x)
    for order in ([(5, x), (0, x * 100)], [(0, x * 100), (5, x)]):
        model.reset_running_stats()
        buffers.begin()
        buffers.watch()
        for rows, part in order:
            model(part)
            buffers.collect(rows)
        buffers.settle(lambda value: value)
        buffers.commit()
        assert torch.equal(model.running_mean, wanted.running_mean) and torch.equal(model.running_var, wanted.running_var)


def test_two_processes_combine_by_their_rows():
    """`total` as two processes would see it: this one has 2 rows, the other 6."""
    x = torch.randn(8, 2, generator=torch.Generator().manual_seed(0))
    pending = []
    for part in (x[:2], x[2:]):
        model = nn.BatchNorm1d(2).train()
        buffers = Buffers(model)
        buffers.watch()
        model(part)
        buffers.collect(len(part))
        sums = [(value * len(part)) for value in buffers._mean if value.is_floating_point()]
        pending.append((buffers, model, sums))
    both = iter([a + b for a, b in zip(pending[0][2], pending[1][2])])
    buffers, model, _ = pending[0]
    buffers.settle(lambda value: 8.0 if isinstance(value, float) else next(both))
    buffers.commit()
    parts = [nn.BatchNorm1d(2).train(), nn.BatchNorm1d(2).train()]
    parts[0](x[:2]), parts[1](x[2:])
    for name in ("running_mean", "running_var"):
        wanted = (2 * getattr(parts[0], name).double() + 6 * getattr(parts[1], name).double()) / 8
        assert torch.allclose(getattr(model, name).double(), wanted, atol=1e-7)
    assert model.num_batches_tracked == 1


def test_only_the_first_call_in_a_micro_batch_moves():
    def twice(model, batch):
        model(batch.inputs + 100.0)
        return F.cross_entropy(model(batch.inputs), batch.targets, reduction="sum")

    def once(model, batch):
        return F.cross_entropy(model(batch.inputs + 100.0), batch.targets, reduction="sum")

    a = toys.trained(model=toys.batch_normed, loss=twice, optimizer=toys.sgd(lr=0.0))
    b = toys.trained(model=toys.batch_normed, loss=once, optimizer=toys.sgd(lr=0.0))
    assert torch.equal(a.model[1].running_mean, b.model[1].running_mean) and a.model[1].num_batches_tracked == 6


def test_a_step_that_is_not_finite_moves_no_buffer():
    run = Run(toys.recipe(toys.Spoil(at=(1,)), model=toys.batch_normed, steps=3))
    seen = [run.model[1].running_mean.clone()]
    for _ in run:
        seen.append(run.model[1].running_mean.clone())
    assert not torch.equal(seen[0], seen[1]) and torch.equal(seen[1], seen[2]) and not torch.equal(seen[2], seen[3])


def test_buffers_that_somebody_changed_between_steps_are_taken_as_they_are():
    run = Run(toys.recipe(model=Moving, steps=3, optimizer=toys.sgd(lr=0.0)))
    for step, _ in enumerate(run):
        if step == 0:
            run.model.mean.fill_(50.0)
        if step == 1:
            wanted = 25.0 + 0.5 * toys.rows_of(run, 1)[0].mean(0)
            assert torch.allclose(run.model.mean, wanted, atol=1e-12)


def test_held():
    model = Moving().train()
    buffers = Buffers(model)
    before = {name: value.clone() for name, value in model.named_buffers()}
    with pytest.raises(ZeroDivisionError), buffers.held():  # noqa: PT012
        model(torch.full((2, 6), 2.0))
        raise ZeroDivisionError
    assert all(torch.equal(value, before[name]) for name, value in model.named_buffers())
