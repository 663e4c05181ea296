"""Synchronised BatchNorm: two processes (as threads) against torch's BatchNorm over their rows together; a world of one keeps torch's."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest
import torch
import toys
from torch import nn

from danlu.core import Run
from danlu.errors import Refused
from danlu.placement.norms import SyncedBatchNorm, synced
from danlu.placement.single import Single


def together(works):
    """Run each function in a thread of its own; each gets a `total` that sums over them."""
    barrier, shared, found = threading.Barrier(len(works)), {}, {}

    def total_of(rank):
        def total(value):
            shared[rank] = value.detach().clone()
            barrier.wait(20)
            result = sum(shared[other] for other in range(len(works)))
            barrier.wait(20)
            return result

        return total

    def begin(rank):
        found[rank] = works[rank](total_of(rank))

    threads = [threading.Thread(target=begin, args=(rank,)) for rank in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return [found[rank] for rank in range(len(works))]


@pytest.mark.parametrize("shape", [(5,), (5, 4, 3)], ids=["rows", "images"])
@pytest.mark.parametrize("options", [{}, {"momentum": None}, {"affine": False}, {"track_running_stats": False}], ids=str)
def test_two_processes_with_unequal_rows_are_one_batch(shape, options):
    kind = nn.BatchNorm1d if len(shape) == 1 else nn.BatchNorm2d
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(8, *shape, generator=draw, dtype=torch.float64) * 3 + 100
    pull = torch.randn(8, *shape, generator=draw, dtype=torch.float64)
    norm = kind(5, **options).double()
    if norm.affine:
        nn.init.normal_(norm.weight, generator=draw), nn.init.normal_(norm.bias, generator=draw)
    start = {name: value.clone() for name, value in norm.state_dict().items()}

    whole = x.clone().requires_grad_()
    for _ in range(2):
        out = norm(whole)
    (out * pull).sum().backward()

    def process(rows):
        def work(total):
            own = kind(5, **options).double()
            own.load_state_dict(start)
            own, part = synced(own, total), x[rows].clone().requires_grad_()
            for _ in range(2):
                made = own(part)
            (made * pull[rows]).sum().backward()
            return own, made.detach(), part.grad

        return work

    (first, one, left), (second, two, right) = together([process(slice(0, 3)), process(slice(3, 8))])
    assert torch.allclose(torch.cat([one, two]), out.detach(), atol=1e-9)
    assert torch.allclose(torch.cat([left, right]), whole.grad, atol=1e-9)
    for name, p in norm.named_parameters():
        assert torch.allclose(dict(first.named_parameters())[name].grad + dict(second.named_parameters())[name].grad, p.grad, atol=1e-9)
    for own in (first, second):
        assert own.state_dict().keys() == norm.state_dict().keys()
        assert all(torch.allclose(value, norm.state_dict()[name]) for name, value in own.state_dict().items())
        if options.get("track_running_stats", True):
            assert torch.allclose(own.eval()(x), norm.eval()(x))


@dataclass
class Two(Single):
    """Says that there are two processes; sums are of this one alone."""

    world: int = 2


def test_a_placement_of_several_synchronises_and_a_world_of_one_keeps_torchs():
    with Run(toys.recipe(model=toys.batch_normed)) as run:
        assert type(run.model[1]) is nn.BatchNorm1d
    with Run(toys.recipe(model=toys.batch_normed, placement=Two())) as run:
        assert type(run.model[1]) is SyncedBatchNorm
        buffers = {id(b) for b in run.model.buffers()}
        assert {id(b) for b in run.placement.buffers.all} == buffers
    with pytest.raises(Refused, match="ghost_norm"):  # two micro-batches after one another on each process
        Run(toys.recipe(model=toys.batch_normed, placement=Two(), micro_batch_size=2))
