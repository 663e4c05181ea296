"""Loss scaling against torch's GradScaler, the check that gradients are finite, and what each precision stores."""

import math

import pytest
import torch
import toys
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from danlu.core import Run
from danlu.placement.precision import Precision

CPU = torch.device("cpu")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.booleans(), max_size=40), st.integers(1, 5))
def test_the_scale_moves_as_torchs(finite, patience):
    mine = Precision("fp16", CPU)
    mine.patience = patience
    p = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([p], lr=0.0)
    scaler = torch.amp.GradScaler("cpu", growth_interval=patience)
    for step, good in enumerate(finite):
        scaler.scale((p * (1.0 if good else math.inf)).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
        mine.adapt(good)
        assert mine.scale == min(scaler.get_scale(), 2.0**24), step
        if scaler.get_scale() >= 2.0**24:
            break


def test_the_scale_stays_within_bounds():
    mine = Precision("fp16", CPU)
    mine.patience = 1
    for _ in range(40):
        mine.adapt(True)
    assert mine.scale == 2.0**24
    for _ in range(80):
        mine.adapt(False)
    assert mine.scale == 2.0**-14


@pytest.mark.parametrize("name", ["fp32", "fp64", "bf16"])
def test_only_fp16_scales(name):
    mine = Precision(name, CPU)
    mine.adapt(False)
    mine.adapt(True)
    assert (mine.scale, mine.streak) == (1.0, 0)


def test_unscale_divides_by_the_scale_and_finds_what_is_not_finite():
    mine = Precision("fp16", CPU)
    grads = [torch.tensor([65536.0, 2.0]), torch.tensor([[131072.0]], dtype=torch.float64)]
    found = mine.unscale(grads, [])
    assert found == 0 and found.shape == () and grads[0].tolist() == [1.0, 2.0**-15] and grads[1].item() == 2.0
    assert mine.unscale([], []) == 0
    mine.scale = 2.0
    assert mine.unscale([torch.ones(3)], []) == 0
    for bad in (math.nan, math.inf, -math.inf):
        for dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16):
            for place in range(9):  # every lane of a vector, and the tail
                grad = torch.ones(9, dtype=dtype)
                grad[place] = bad
                assert Precision("fp32", CPU).unscale([torch.ones(2), grad], []) > 0


def test_unscale_leaves_bits_alone_where_nothing_is_scaled():
    values = torch.randn(100, generator=torch.Generator().manual_seed(0))
    grads = [values.clone(), values.double() / 3]
    assert Precision("fp32", CPU).unscale(grads, []) == 0
    assert torch.equal(grads[0], values) and torch.equal(grads[1], values.double() / 3)


def test_a_sparse_gradient_is_looked_at_too():
    table = nn.Embedding(5, 2, sparse=True)
    table(torch.tensor([1, 3])).sum().backward()
    assert Precision("fp32", CPU).unscale([table.weight.grad], []) == 0
    table.weight.grad = table.weight.grad.coalesce() * math.nan
    assert Precision("fp32", CPU).unscale([table.weight.grad], []) > 0


@pytest.mark.parametrize(
    "name, inner", [("fp32", torch.float32), ("fp64", torch.float64), ("bf16", torch.bfloat16), ("fp16", torch.float16)]
)
def test_what_a_model_computes_in(name, inner):
    seen = set()

    class Look(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(6, 3)

        def forward(self, x):
            out = self.linear(x)
            seen.add(out.dtype)
            return out

    run = Run(toys.recipe(model=Look, precision=name, steps=2, data=lambda: toys.made(16, held_out=8)))
    for report in run:
        assert report.loss.dtype == (torch.float64 if name == "fp64" else torch.float32)
    assert inner in seen
    assert all(p.grad.dtype == p.dtype for p in run.model.parameters())


def test_gradients_are_the_same_whatever_the_scale():
    """fp16's own rounding aside: in powers of two the scale changes no bit."""
    gradients = []
    for scale in (1.0, 256.0):
        run = Run(toys.recipe(precision="fp16", steps=1, optimizer=toys.sgd(lr=0.0)))
        run.placement.precision.scale = scale
        (report,) = run
        gradients.append([p.grad.clone() for p in run.model.parameters()])
        assert report.outcome.scale == scale
    assert all(torch.allclose(a, b, rtol=2e-3, atol=1e-6) for a, b in zip(*gradients))


def test_a_small_gradient_survives_in_fp16_only_by_the_scale():
    def tiny(model, batch):
        return (model(batch.inputs) * 1e-7).sum()

    found = []
    for scale in (1.0, 65536.0):
        run = Run(toys.recipe(precision="fp16", loss=tiny, steps=1, optimizer=toys.sgd(lr=0.0)))
        run.placement.precision.scale = scale
        list(run)
        found.append(run.model[0].weight.grad.abs().sum().item())
    assert found[0] < 0.5 * found[1] and found[1] > 0
