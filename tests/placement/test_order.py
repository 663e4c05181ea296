"""The plan of batches: every row once an epoch, the same steps for any number of processes, from any position."""

from itertools import islice

import pytest
import torch
import toys
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from danlu.core import Run
from danlu.data.source import Tensors
from danlu.placement.order import Plan, fetched

PLANS = st.tuples(st.integers(1, 70), st.integers(1, 70), st.none() | st.integers(1, 70), st.integers(0, 2**62)).map(
    lambda drawn: Plan(drawn[0], min(drawn[1], drawn[0]), drawn[2], drawn[3])
)
WORLDS = st.sampled_from([1, 2, 3, 5])


@settings(max_examples=200, deadline=None)
@given(PLANS, st.integers(0, 3))
def test_every_row_once_an_epoch(plan, epoch):
    steps = [plan.ids(epoch * plan.steps_per_epoch + place) for place in range(plan.steps_per_epoch)]
    assert sorted(torch.cat(steps).tolist()) == list(range(plan.rows))
    assert [len(ids) for ids in steps[:-1]] == [plan.batch_size] * (plan.steps_per_epoch - 1) and 1 <= len(steps[-1]) <= plan.batch_size


@settings(max_examples=200, deadline=None)
@given(PLANS, st.integers(0, 200), WORLDS)
def test_processes_share_out_the_same_rows(plan, step, world):
    slots = [list(plan.shard(step, rank, world)) for rank in range(world)]
    assert len({len(own) for own in slots}) == 1  # all evaluate as often
    for own in slots:
        assert [slot.last for slot in own] == [False] * (len(own) - 1) + [True]
        assert all(slot.step == step and len(slot.ids) > 0 for slot in own)
    real = sorted((slot.place, slot.ids.tolist()) for own in slots for slot in own if not slot.empty)
    assert [place for place, _ in real] == list(range(len(real)))  # in the global order, none twice
    assert [row for _, ids in real for row in ids] == plan.ids(step).tolist()
    turns = [[own[turn].empty for own in slots] for turn in range(len(slots[0]))]
    assert not any(any(turn) for turn in turns[:-1])  # an empty one only stands in at the end
    for own in slots:
        assert all(slot.ids.tolist() == plan.ids(step)[:1].tolist() for slot in own if slot.empty)


@settings(max_examples=100, deadline=None)
@given(PLANS, st.integers(0, 100))
def test_micro_batches_do_not_depend_on_the_number_of_processes_when_their_size_is_stated(plan, step):
    stated = Plan(plan.rows, plan.batch_size, plan.micro_batch_size or 3, plan.seed)
    alone = [slot.ids.tolist() for slot in stated.shard(step, 0, 1)]
    for world in (2, 3):
        slots = [slot for rank in range(world) for slot in stated.shard(step, rank, world) if not slot.empty]
        assert [slot.ids.tolist() for slot in sorted(slots, key=lambda slot: slot.place)] == alone
    assert all(len(ids) == (plan.micro_batch_size or 3) for ids in alone[:-1])
    assert stated.micro_count() == len(list(stated.shard(0, 0, 1)))


@settings(max_examples=100, deadline=None)
@given(PLANS, st.lists(st.integers(0, 300), min_size=1, max_size=10))
def test_a_step_is_a_function_of_its_number(plan, steps):
    """Asked for in any order, by a fresh plan or one that was used."""
    fresh = lambda: Plan(plan.rows, plan.batch_size, plan.micro_batch_size, plan.seed)
    assert all(torch.equal(plan.ids(step), fresh().ids(step)) for step in steps)


def test_epochs_and_seeds_are_shuffled_each_in_its_own_way():
    orders = [tuple(Plan(50, 50, None, seed).ids(epoch).tolist()) for seed in range(3) for epoch in range(3)]
    assert len(set(orders)) == 9
    assert Plan(50, 50, None, 0, shuffle=False).ids(7).tolist() == list(range(50))


def test_first_places_are_uniform_over_rows():
    counts = torch.zeros(10)
    for epoch in range(3000):
        counts[Plan(10, 5, None, 3).ids(2 * epoch)[0]] += 1
    assert ((counts - 300).abs() < 5 * (300 * 0.9) ** 0.5).all()


def test_rows_in_memory_are_the_same_gathered_ahead_or_one_by_one():
    x, y = torch.arange(23.0)[:, None], {"a": torch.arange(23)}

    class One(Tensors):
        ahead = 1

    class Ahead(Tensors):
        ahead = 4

    plan = Plan(23, 6, 4, 0)
    slots = [slot for step in range(11) for slot in plan.shard(step, 0, 1)]
    one, ahead = list(fetched(One(x, y), plan, iter(slots))), list(fetched(Ahead(x, y), plan, iter(slots)))
    assert len(one) == len(ahead) == len(slots)
    for slot, (left, a, b), (right, c, d) in zip(slots, one, ahead):
        assert left is slot and right is slot
        assert torch.equal(a, c) and torch.equal(b["a"], d["a"]) and a[:, 0].tolist() == slot.ids.tolist() == b["a"].tolist()


def test_the_stream_starts_at_any_step_with_what_was_not_consumed():
    run = Run(toys.recipe(data=lambda: toys.made(35), micro_batch_size=3, steps=14))
    whole = list(run.placement.stream(run.data.train, run.plan, 0, 14))
    assert {batch.step for batch in whole} == set(range(14))
    for start in (1, 4, 5, 13):
        rest = list(run.placement.stream(run.data.train, run.plan, start, 14))
        tail = [batch for batch in whole if batch.step >= start]
        assert [(b.step, b.place, b.last, b.ids.tolist()) for b in rest] == [(b.step, b.place, b.last, b.ids.tolist()) for b in tail]
        assert all(torch.equal(b.inputs, c.inputs) and torch.equal(b.targets, c.targets) for b, c in zip(rest, tail))


def test_position_is_what_was_consumed_never_what_was_prefetched():
    run = Run(toys.recipe(steps=12))
    list(islice(iter(run), 5))
    assert run.step == 5
    assert next(iter(run.placement.stream(run.data.train, run.plan, run.step, 12))).step == 5


@pytest.mark.parametrize("rows, features", [(7, 6), (7, 5), (33, 13), (16, 1)])
def test_a_batch_lies_in_memory_as_a_tensor_of_its_own_wherever_a_run_starts(rows, features):
    """Else the last bits of a product depend on the step from which a run was resumed."""
    model = lambda: nn.Sequential(nn.Linear(features, 8), nn.Tanh(), nn.Linear(8, 3))
    data = lambda: toys.made(6 * rows + 2, features=features, classes=min(features, 3))
    fields = {"precision": "fp32", "batch_size": rows, "data": data, "model": model, "steps": 9}
    whole = toys.trained(**fields)
    for k in range(1, 9):
        again = Run(toys.recipe(**fields))
        again.load(toys.steps(Run(toys.recipe(**fields)), k).state())
        list(again)
        assert toys.apart(whole, again) == 0.0, k
