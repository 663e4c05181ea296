"""Intervals against closed forms and scipy, and every figure against the run's own score."""

import numpy as np
import pytest
import torch
from scipy import stats

import danlu
from danlu.evaluation.intervals import interval, intervals, row_figures
from danlu.metrics.score import score
from danlu.nets.mlp import MLP


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def run(classes=3, rows=400, regress=False, **changes):
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(rows, 4, generator=draw)
    y = x.sum(1) + torch.randn(rows, generator=draw) if regress else (x[:, :classes] + torch.randn(rows, classes, generator=draw)).argmax(1)
    made = danlu.Run(danlu.Recipe(model=MLP(hidden=(8,)), data=((x, y), (x, y)), epochs=3, batch_size=50, device="cpu", **changes))
    for _ in made:
        pass
    return made


@pytest.mark.parametrize(
    ("settings", "metrics"),
    [
        ({}, (danlu.metrics.Accuracy(), danlu.metrics.F1(), danlu.metrics.AUROC())),
        ({"classes": 2}, ()),
        ({"regress": True}, (danlu.metrics.RMSE(), danlu.metrics.MAE(), danlu.metrics.R2())),
    ],
)
def test_values_are_those_of_the_score(settings, metrics):
    made = run(**settings, metrics=metrics)
    figures, expected = row_figures(made, made.data.val), score(made, made.data.val, "")
    assert figures.values() == pytest.approx(expected, rel=1e-5)
    for name, (low, high) in intervals(figures, 0, 200).items():
        assert low < expected[name] < high


def test_accuracy_has_the_interval_of_a_share():
    """Many rows: the normal approximation p +- 1.96 sqrt(p (1 - p) / n)."""
    made = run(rows=2000)
    figures = row_figures(made, made.data.val)
    p = figures.values()["accuracy"]
    low, high = intervals(figures, 0, 2000)["accuracy"]
    half = 1.96 * np.sqrt(p * (1 - p) / 2000)
    assert (low, high) == pytest.approx((p - half, p + half), abs=0.1 * half)


def test_mean_absolute_error_against_scipy():
    made = run(regress=True, metrics=(danlu.metrics.MAE(),))
    figures = row_figures(made, made.data.val)
    x, y = made.data.val.content()
    with torch.no_grad():
        errors = (made.model(x) - y).abs().flatten().double().numpy()
    theirs = stats.bootstrap((errors,), np.mean, n_resamples=2000, method="percentile", rng=np.random.default_rng(0)).confidence_interval
    ours = intervals(figures, 0, 2000)["mae"]
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.1 * (theirs.high - theirs.low))


def test_coverage():
    """Of 95 % intervals of an accuracy that is truly 0.7, about 95 % hold it."""
    draw, held = torch.Generator().manual_seed(1), 0
    for k in range(200):
        right = (torch.rand(150, generator=draw) < 0.7).double()
        from danlu.evaluation.intervals import RowFigures, _Part

        part = _Part({"correct": right, "count": torch.ones(150)}, {}, lambda s: {"accuracy": float(s["correct"] / s["count"])})
        low, high = intervals(RowFigures((part,), 150), k, 300)["accuracy"]
        held += low <= 0.7 <= high
    assert 0.90 <= held / 200 <= 0.99


def test_it_is_repeatable_and_paired():
    made = run()
    figures = row_figures(made, made.data.val)
    assert intervals(figures, 3, 50) == intervals(figures, 3, 50) != intervals(figures, 4, 50)
    other = row_figures(made, made.data.val, says=lambda inputs: made.model(inputs))
    assert figures.resampled(3, 20) == other.resampled(3, 20)  # the same rows are drawn for both
    assert interval([1.0, None]) is None


def test_a_language_model_draws_windows():
    from danlu.data.text import language_data
    from danlu.nets.gpt import GPT

    data = language_data("toy", {"train": ["abcab" * 200], "val": ["abcab" * 60]}, "characters", 10, 16, 0)
    made = danlu.Run(danlu.Recipe(model=GPT(width=16, depth=1, heads=2), data=data, steps=5, batch_size=8, device="cpu"))
    figures = row_figures(made, data.val)
    assert figures.values() == pytest.approx(score(made, data.val, ""), rel=1e-5)
    assert all(ends is not None for ends in intervals(figures, 0, 50).values())
