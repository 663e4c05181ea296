"""The optimiser divided by whole weights: who keeps what, and a state that any placement loads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from danlu.core import Recipe, Run
from danlu.optim.first_order import AdamW
from danlu.optim.lbfgs import LBFGS
from danlu.optim.shampoo import Shampoo
from danlu.placement.ddp import DDP
from danlu.placement.owned import owners
from danlu.placement.zero import Zero
from danlu.run import checkpoint
from danlu.testing.placement import course, equal
from danlu.testing.tiny import tiny
from placement.test_fsdp import described, odd, resumed, saved


def test_the_largest_go_to_whoever_has_least():
    assert owners([3, 10, 4, 4], 2) == [1, 0, 1, 1]
    assert owners([], 2) == [] and owners([5], 4) == [0]
    sizes = [(37 * n) % 101 for n in range(40)]
    loads = [sum(size for size, owner in zip(sizes, owners(sizes, 3)) if owner == rank) for rank in range(3)]
    assert max(loads) - min(loads) <= max(sizes)


def kept(recipe: Recipe) -> tuple[int, int]:
    """Numbers of the optimiser's state that this process keeps after a step, and of the model."""
    with Run(recipe) as run:
        next(iter(run))
        tensors = [v for state in run.optimizer.state.values() for v in state.values() if torch.is_tensor(v) and v.ndim]
        return sum(v.numel() for v in tensors), sum(p.numel() for p in run.model.parameters() if p.ndim)


@pytest.mark.slow
def test_each_process_keeps_what_is_its_own(ranks):
    found = ranks.call(kept, odd(placement=Zero()))
    assert sum(own for own, _ in found) == 2 * found[0][1]
    assert max(own for own, _ in found) < 1.3 * found[0][1]
    assert ranks.call(kept, odd(optimizer=LBFGS(max_iter=2), placement=Zero()))[1][0] > 0  # looks at all: not divided


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", [AdamW(lr=1e-2), Shampoo(lr=1e-2)], ids=lambda optimizer: type(optimizer).__name__)
def test_four_processes_with_odd_shapes(optimizer, four):
    assert not equal(odd(optimizer=optimizer, batch_size=12, micro_batch_size=2), four, Zero())


@pytest.mark.slow
def test_it_is_data_parallel_bit_for_bit(ranks):
    recipe: Any = tiny(split=True, optimizer=AdamW(lr=1e-2, fused="off"))
    ours, theirs = (ranks.call(course, replace(recipe, placement=where))[0] for where in (Zero(), DDP()))
    assert ours.losses == theirs.losses
    assert all(torch.equal(value, theirs.tensors[name]) for name, value in ours.tensors.items())


@pytest.mark.slow
def test_what_it_saves_any_other_loads(ranks, four, tmp_path):
    recipe, k = odd(optimizer=Shampoo(lr=1e-2), batch_size=8, micro_batch_size=2), 3
    divided, alone = replace(recipe, placement=Zero()), replace(recipe, placement=None)
    whole = ranks.call(saved, divided, k, tmp_path / "zero")[0]
    assert ranks.call(resumed, divided, k, tmp_path / "zero")[0] == whole[k:]
    for found in (resumed(alone, k, tmp_path / "zero"), four.call(resumed, divided, k, tmp_path / "zero")[0]):
        assert found == pytest.approx(whole[k:], abs=1e-5, rel=1e-5)
    first = saved(alone, k, tmp_path / "single")
    assert ranks.call(resumed, divided, k, tmp_path / "single")[0] == pytest.approx(first[k:], abs=1e-5, rel=1e-5)
    ours, theirs = (checkpoint.read(tmp_path / name / f"step-{k}") for name in ("zero", "single"))
    assert described(ours) == described(theirs)
