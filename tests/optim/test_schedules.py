"""Schedules against torch.optim.lr_scheduler, step for step, and what must hold for all of them."""

import math
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler as oracle

from danlu.errors import BadInput
from danlu.optim import schedules
from danlu.optim.factors import compose, sequence
from danlu.optim.schedules import (
    WSD,
    Constant,
    Cosine,
    Exponential,
    InverseSqrt,
    Linear,
    MultiStep,
    OneCycle,
    Polynomial,
    Step,
)


def rates(make, steps):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler, found = make(optimizer), []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


PAIRS = [
    (Constant(), lambda o: oracle.ConstantLR(o, 1.0)),
    (Step(7, 0.3), lambda o: oracle.StepLR(o, 7, 0.3)),
    (MultiStep((20, 5, 5, 11), 0.5), lambda o: oracle.MultiStepLR(o, [5, 5, 11, 20], 0.5)),
    (Cosine(), lambda o: oracle.CosineAnnealingLR(o, 70)),
    (Cosine(floor=0.1), lambda o: oracle.CosineAnnealingLR(o, 70, eta_min=0.1)),
    (Cosine(cycles=7), lambda o: oracle.CosineAnnealingWarmRestarts(o, 10)),
    (Cosine(cycles=3, growth=2, floor=0.2), lambda o: oracle.CosineAnnealingWarmRestarts(o, 10, 2, eta_min=0.2)),
    (Exponential(0.9), lambda o: oracle.ExponentialLR(o, 0.9)),
    (Polynomial(power=3.0), lambda o: oracle.PolynomialLR(o, 70, 3.0)),
    (Linear(floor=0.2), lambda o: oracle.LinearLR(o, 1.0, 0.2, 70)),
    (OneCycle(), lambda o: oracle.OneCycleLR(o, 1.0, total_steps=70)),
    (
        OneCycle(rise=0.45, start=0.1, floor=0.001),
        lambda o: oracle.OneCycleLR(o, 1.0, 70, pct_start=0.45, div_factor=10, final_div_factor=100),
    ),
]


@pytest.mark.parametrize("schedule,make", PAIRS)
def test_torch(schedule, make):
    factor = schedule(70)
    assert [factor(step) for step in range(70)] == pytest.approx(rates(make, 70), rel=1e-9, abs=1e-12)


def test_inverse_sqrt_is_the_transformers():
    factor, dim, warmup = InverseSqrt(timescale=40, warmup=40)(1000), 512, 40
    paper = [dim**-0.5 * min(step**-0.5, step * warmup**-1.5) for step in range(1, 1000)]
    peak = max(paper)
    assert [factor(step) for step in range(40, 999)] == pytest.approx([rate / peak for rate in paper[39:998]])


@pytest.mark.parametrize("shape,middle", [("linear", 0.5), ("sqrt", 1 - math.sqrt(0.5)), ("cosine", 0.5)])
def test_wsd(shape, middle):
    factor = WSD(decay=0.2, shape=shape, floor=0.1)(100)
    assert [factor(step) for step in range(81)] == [1.0] * 81
    assert factor(90) == pytest.approx(0.1 + 0.9 * middle) and factor(100) == pytest.approx(0.1)


def test_exponential_over_a_distance():
    assert Exponential(0.5, every=10)(100)(5) == pytest.approx(math.sqrt(0.5))


def test_warmup_then_the_schedule_from_its_start():
    linear, exponential = Linear(warmup=4)(14), Linear(warmup=4, warmup_shape="exponential")(14)
    assert [linear(step) for step in range(6)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 0.9])
    assert [exponential(step) for step in range(6)] == pytest.approx([0.01**0.8, 0.01**0.6, 0.01**0.4, 0.01**0.2, 1.0, 0.9])
    dropping = Step(every=3, warmup=2)(20)
    assert [dropping(step) for step in (2, 4, 5)] == pytest.approx([1.0, 1.0, 0.1])


def test_warmup_as_a_share_and_as_steps():
    assert [Linear(warmup=0.25)(20)(step) for step in range(20)] == [Linear(warmup=5)(20)(step) for step in range(20)]
    assert Constant(warmup=0.99)(1)(0) == 1.0  # a share leaves a step to the schedule
    with pytest.raises(BadInput, match="warm-up of 20 steps"):
        Constant(warmup=20)(20)


def test_compose_and_sequence():
    joined = sequence([(2, lambda step: step + 1.0), (0, lambda step: -1.0), (3, lambda step: 10.0 + step)])
    assert [joined(step) for step in range(8)] == [1, 2, 10, 11, 12, 13, 13, 13]
    assert compose(joined, lambda step: 2.0)(3) == 22


def test_no_torch():
    code = "import sys, danlu.optim.schedules; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


share, ratio = st.floats(0, 1), st.floats(0.01, 1)
BODIES = st.one_of(
    st.builds(Constant),
    st.builds(Step, every=st.integers(1, 50), gamma=ratio),
    st.builds(MultiStep, milestones=st.lists(st.integers(1, 300), max_size=4).map(tuple), gamma=ratio),
    st.builds(Cosine, floor=share, cycles=st.integers(1, 400), growth=st.floats(1, 50)),
    st.builds(Exponential, gamma=ratio, every=st.integers(1, 50)),
    st.builds(Polynomial, power=st.floats(0.1, 5), floor=share),
    st.builds(Linear, floor=share),
    st.builds(InverseSqrt, timescale=st.integers(1, 500)),
    st.builds(WSD, decay=ratio, shape=st.sampled_from(["linear", "sqrt", "cosine"]), floor=share),
    st.builds(OneCycle, rise=st.floats(0.01, 0.99), start=share, floor=share),
)


@settings(max_examples=300, deadline=None)
@given(
    body=BODIES,
    total=st.integers(1, 300),
    warmup=st.one_of(st.floats(0, 0.99), st.integers(1, 299)),
    shape=st.sampled_from(["linear", "exponential"]),
)
def test_every_schedule(body, total, warmup, shape):
    if warmup >= total:
        warmup = warmup / 300
    plain = body(total)
    schedule = type(body)(**{**vars(body), "warmup": warmup, "warmup_shape": shape})
    rise, factor = schedules.warmup_steps(warmup, total), schedule(total)
    values = [factor(step) for step in range(total + 5)]
    assert all(math.isfinite(value) and 0 <= value <= 1 + 1e-12 for value in values)
    assert values == [factor(step) for step in range(total + 5)]  # pure
    assert len(set(values[total:])) == 1  # it stays where it ended
    assert values[rise:total] == [body(total - rise)(step) for step in range(total - rise)]
    stride = 1 / (rise + 1) if shape == "linear" else 1 - 0.01 ** (1 / (rise + 1))
    if rise:  # the joint is one more stride of the climb, and the climb rises
        assert values[rise - 1] == pytest.approx(values[rise] * (1 - stride))
        assert values[: rise + 1] == sorted(values[: rise + 1]) and (values[0] > 0 or values[rise] < 1e-300)  # no smaller number is left
    assert plain(0) == pytest.approx(values[rise]) or isinstance(body, OneCycle | WSD | Cosine)
