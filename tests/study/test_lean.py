"""A lean program gives the numbers of the one it was made of, writes over nothing that is read again, and holds for call after call."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from danlu.study.lean import ATEN, lean
from danlu.study.moves import _stretches


def forward(x, w, v, t):
    """A net with a tanh and a relu; x [members, rows, 64], w [members, 64, 64], v [members, 64, 8]; their sums and gradients."""
    w, v = w.detach().requires_grad_(), v.detach().requires_grad_()
    hidden = (torch.bmm(x, w) + 0.1).tanh()
    out = torch.bmm((hidden * 2).relu(), v) - t
    return (out.detach().square().sum((1, 2)), *torch.autograd.grad(out.square().sum(), (w, v)))


def drawn(seed, rows=64, members=16):
    draw = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=draw) for shape in ((members, rows, 64), (members, 64, 64), (members, 64, 8), (members, rows, 8))]


def test_it_says_the_same_at_every_call_and_leaves_what_it_was_given():
    program = lean(make_fx(forward)(*drawn(0)))
    targets = [node.target for node in program.graph.nodes]
    assert ATEN.tanh_.default in targets or ATEN.relu_.default in targets
    assert ATEN.bmm.out in targets  # 256 kB each
    for seed in (1, 2):
        given = drawn(seed)
        kept = [value.clone() for value in given]
        for found, wanted in zip(program(*given), forward(*given), strict=True):
            torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-3)
        assert all(torch.equal(a, b) for a, b in zip(given, kept))


def used_twice(a, b):
    product = torch.bmm(a, b)
    return product + 1, product.relu()


def seen_through_a_view(a, b):
    product = torch.bmm(a, b)
    return product.transpose(1, 2) * 2, product + 1


def returned(a, b):
    product = torch.bmm(a, b)
    return product, product + 1


@pytest.mark.parametrize("function", [used_twice, seen_through_a_view, returned])
def test_what_is_read_again_is_not_written_over(function):
    x, w, *_ = drawn(3)
    program = lean(make_fx(function)(x, w))
    for found, wanted in zip(program(x, w), function(x, w), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_stretches_are_neighbours_that_agree_in_everything():
    rates, decays = np.array([0.1, 0.1, 0.2, 0.2, 0.2]), np.array([0.0, 0.0, 0.0, 1.0, 1.0])
    assert _stretches(rates, decays) == [(0, 2), (2, 3), (3, 5)]
    assert _stretches(rates[:1]) == [(0, 1)]
