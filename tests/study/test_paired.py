"""Paired tests beside scipy's, and beside what they must satisfy: intervals are inverted tests, Holm bounds, sizes under the null."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from danlu.study import paired

NUMBERS = arrays(np.float64, st.integers(3, 9), elements=st.floats(-10, 10).map(lambda x: round(x, 3))).filter(lambda d: d.std() > 1e-3)


@settings(max_examples=40)
@given(NUMBERS, st.floats(-3, 3))
def test_t_is_scipys(d: np.ndarray, threshold: float) -> None:
    assert paired.above(d, threshold) == pytest.approx(stats.ttest_1samp(d, threshold, alternative="greater").pvalue, abs=1e-12)
    assert paired.below(d, threshold) == pytest.approx(stats.ttest_1samp(d, threshold, alternative="less").pvalue, abs=1e-12)
    found = stats.ttest_1samp(d, 0.0).confidence_interval(0.9)
    assert paired.interval(d) == pytest.approx((found.low, found.high))


@settings(max_examples=30)
@given(NUMBERS, st.sampled_from([-1.0, 0.0, 0.5]))
def test_sign_flip_is_scipys_exact_permutation(d: np.ndarray, threshold: float) -> None:
    found = stats.permutation_test((d - threshold,), np.mean, permutation_type="samples", alternative="greater", n_resamples=1_000_000)
    assert paired.above(d, threshold, "sign_flip") == pytest.approx(found.pvalue, abs=1e-12)


@settings(max_examples=30)
@given(NUMBERS, st.sampled_from(["t", "sign_flip"]))
def test_an_interval_is_what_the_tests_do_not_rule_out(d: np.ndarray, test: paired.Test) -> None:
    low, high = paired.interval(d, test)
    step = 1e-6 * (1 + np.abs(d).max())
    if np.isfinite(low):
        assert paired.above(d, low - step, test) <= 0.05 + 1e-9
        assert paired.above(d, low + step, test) >= 0.05 - 1e-9
        assert paired.below(d, high + step, test) <= 0.05 + 1e-9
        assert paired.below(d, high - step, test) >= 0.05 - 1e-9
    else:
        assert test == "sign_flip" and 2.0 ** -len(d) > 0.05


def test_many_pairs_are_flipped_at_random_and_the_same_again() -> None:
    d = np.random.default_rng(0).normal(0.4, 1, 24)
    p = paired.above(d, 0.0, "sign_flip")
    assert p == paired.above(d, 0.0, "sign_flip")
    assert p == pytest.approx(paired.above(d, 0.0, "t"), abs=0.01)
    assert paired.interval(d, "sign_flip") == pytest.approx(paired.interval(d, "t"), abs=0.05)


def test_differences_without_spread_are_told_exactly() -> None:
    d = np.full(5, 0.3)
    assert paired.above(d, 0.2) == 0.0 and paired.above(d, 0.3) == 1.0 and paired.below(d, 0.3) == 1.0
    assert paired.interval(d) == (pytest.approx(0.3), pytest.approx(0.3))
    assert paired.inside(np.zeros(5), 0.01) == 0.0
    assert paired.above(np.array([0.1 + 0.2] * 3 + [0.3] * 2), 0.2) == 0.0  # a spread of rounding is none


def test_holm_is_the_textbooks() -> None:
    assert paired.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert paired.holm([0.9, 0.8]) == [1.0, 1.0]
    assert paired.holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0.01, 0.2))
def test_holm_rejects_step_down(ps: list[float], alpha: float) -> None:
    """Independently: go through the sorted p values while each is at most alpha over the number left."""
    rejected = set()
    for rank, place in enumerate(sorted(range(len(ps)), key=lambda k: ps[k])):
        if ps[place] * (len(ps) - rank) > alpha:
            break
        rejected.add(place)
    assert {k for k, p in enumerate(paired.holm(ps)) if p <= alpha} == rejected


@pytest.mark.parametrize(("deviation", "distance", "expected"), [(1.0, 0.5, 27), (1.0, 1.0, 8), (1.0, 2.0, 4)])
def test_pairs_needed_is_the_least_number_with_that_power(deviation: float, distance: float, expected: int) -> None:
    n = paired.pairs_needed(deviation, distance)
    assert n == expected
    power = lambda n: 1 - stats.nct.cdf(stats.t.ppf(0.95, n - 1), n - 1, distance * np.sqrt(n) / deviation)
    assert power(n) >= 0.8 > power(n - 1)


def test_pairs_needed_at_the_ends() -> None:
    assert paired.pairs_needed(1.0, 0.0) is None
    assert paired.pairs_needed(1.0, 1e-6) is None
    assert paired.pairs_needed(0.0, 0.1) == 2


SIZES = 5, 8
DRAWN = 4000


def rejections(kind: str, test: paired.Test, n: int) -> float:
    """How often "above 0" is said of differences with mean (median) zero."""
    rng = np.random.default_rng(n)
    draws = {
        "normal": lambda: rng.normal(size=(DRAWN, n)),
        "uniform": lambda: rng.uniform(-1, 1, (DRAWN, n)),
        "heavy": lambda: rng.standard_t(3, (DRAWN, n)),
        "accuracy": lambda: (rng.binomial(200, 0.9, (DRAWN, n)) - rng.binomial(200, 0.9, (DRAWN, n))) / 200,
    }[kind]()
    return sum(paired.above(d, 0.0, test) <= 0.05 for d in draws) / DRAWN


@pytest.mark.parametrize("test", ["t", "sign_flip"])
@pytest.mark.parametrize("kind", ["normal", "uniform", "heavy", "accuracy"])
def test_false_rejections_are_at_most_five_in_a_hundred(kind: str, test: paired.Test) -> None:
    for n in SIZES:
        spread = 2.6 * (0.05 * 0.95 / DRAWN) ** 0.5  # one in a hundred by chance
        assert rejections(kind, test, n) <= 0.05 + spread


def test_all_assignments_of_signs_are_there_once() -> None:
    assert sorted(map(tuple, paired._signs(3).tolist())) == sorted(itertools.product((0, 1), repeat=3))
