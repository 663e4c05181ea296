"""ReduceOnPlateau against torch's, look by look, and as a technique: state, order, warm-up."""

import copy
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from danlu.core import Technique
from danlu.optim.plateau import ReduceOnPlateau


def reports(values, key="val_loss"):
    return iter([SimpleNamespace(metrics={} if value is None else {key: value}) for value in values])


def scales(technique, values, key="val_loss"):
    return [technique.scale for _ in technique.wrap_reports(reports(values, key), None)]


@settings(max_examples=200, deadline=None)
@given(
    values=st.lists(st.floats(0.1, 10), min_size=1, max_size=40),
    mode=st.sampled_from(["min", "max"]),
    factor=st.floats(0.1, 0.9),
    patience=st.integers(0, 4),
    threshold=st.sampled_from([0.0, 1e-4, 0.1]),
    cooldown=st.integers(0, 3),
    floor=st.sampled_from([0.0, 0.05]),
)
def test_torch(values, mode, factor, patience, threshold, cooldown, floor):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    oracle = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode, factor=factor, patience=patience, threshold=threshold, cooldown=cooldown, min_lr=floor, eps=0.0
    )
    wanted = []
    for value in values:
        oracle.step(value)
        wanted.append(optimizer.param_groups[0]["lr"])
    mine = ReduceOnPlateau(mode=mode, factor=factor, patience=patience, threshold=threshold, cooldown=cooldown, floor=floor)
    assert scales(mine, values) == pytest.approx(wanted)


def test_negative_metrics_improve_towards_minus_infinity():
    assert scales(ReduceOnPlateau(patience=0, threshold=0.01), [-1.0, -1.1, -1.2]) == [1.0, 1.0, 1.0]


def test_what_is_not_finite_is_never_better():
    nan, inf = float("nan"), float("inf")
    assert scales(ReduceOnPlateau(mode="max", patience=0, factor=0.5), [nan, 1.0, inf, 2.0]) == [0.5, 0.5, 0.25, 0.25]


def test_reports_without_the_metric_are_no_looks_and_tensors_are():
    technique = ReduceOnPlateau(patience=0, factor=0.5, watch="val_error")
    assert scales(technique, [None, torch.tensor(1.0), None, torch.tensor(1.0)], "val_error") == [1.0, 1.0, 1.0, 0.5]


def test_the_factor_follows_and_the_warmup_multiplies():
    technique = ReduceOnPlateau(patience=0, factor=0.5, warmup=4)
    factor = technique(100)
    assert [factor(step) for step in range(6)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0])
    scales(technique, [1.0, 1.0])
    assert factor(1) == pytest.approx(0.2) and factor(50) == factor(1000) == 0.5


@pytest.mark.parametrize("cut", range(7))
def test_it_goes_on_from_saved_state(cut):
    values = [3.0, 3.1, 2.0, 2.1, 2.2, 2.3, 2.4]
    whole, first, second = (ReduceOnPlateau(patience=1, factor=0.5, cooldown=1) for _ in range(3))
    wanted = scales(whole, values)
    before = scales(first, values[:cut])
    for key in first.state:
        setattr(second, key, copy.deepcopy(getattr(first, key)))
    assert before + scales(second, values[cut:]) == wanted


def test_neutral_and_fresh_copies():
    assert isinstance(ReduceOnPlateau(), Technique)
    assert scales(ReduceOnPlateau(patience=0, **ReduceOnPlateau.neutral), [1.0] * 5) == [1.0] * 5
    used = ReduceOnPlateau(patience=0)
    scales(used, [1.0, 1.0])
    assert used.scale == pytest.approx(0.1) and ReduceOnPlateau(patience=0).scale == 1.0 and used == ReduceOnPlateau(patience=0)
