"""Tests on paired differences: is their mean above a threshold, below it, or inside a margin; and how many pairs it would take to tell.

Student's t (Student 1908) and the exact sign-flip test (Fisher 1935, "The design of experiments", section 21), whose interval is made of
the means of all subsets (Hartigan 1969, "Using subsample values as typical values"); two one-sided tests for equality (Schuirmann 1987);
Holm's correction (Holm 1979). Differences are float64 arrays of at least two numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from danlu.keys import mix

Test = Literal["t", "sign_flip"]
ALPHA = 0.05  # of every one-sided test
POWER = 0.8
EXACT = 16  # up to so many pairs every assignment of signs is tried; above, 2 ** EXACT drawn ones
MOST_PAIRS = 10_000


def above(differences: np.ndarray, threshold: float, test: Test = "t") -> float:
    """p of "the mean is at most `threshold`", against "it is above". Small: it is above."""
    return _t(differences, threshold) if test == "t" else _flipped(differences - threshold)


def below(differences: np.ndarray, threshold: float, test: Test = "t") -> float:
    """p of "the mean is at least `threshold`", against "it is below"."""
    return above(-differences, -threshold, test)


def inside(differences: np.ndarray, margin: float, test: Test = "t") -> float:
    """p of "the mean is `margin` or more from zero", against "it is nearer": two one-sided tests (Schuirmann 1987)."""
    return max(above(differences, -margin, test), below(differences, margin, test))


def outside(differences: np.ndarray, margin: float, test: Test = "t") -> float:
    """p of "the mean is within `margin` of zero", against "it is further": the smaller of two tests, doubled (Bonferroni)."""
    return min(1.0, 2 * min(above(differences, margin, test), below(differences, -margin, test)))


def interval(differences: np.ndarray, test: Test = "t", level: float = 1 - 2 * ALPHA) -> tuple[float, float]:
    """The thresholds that the two one-sided tests at (1 - level) / 2 do not rule out; infinite where no test of so few pairs could."""
    share = (1 - level) / 2
    if test == "t":
        from scipy.special import stdtrit

        half = float(stdtrit(len(differences) - 1, 1 - share)) * _error(differences)
        return float(differences.mean()) - half, float(differences.mean()) + half
    means = np.sort(_subset_means(differences))
    place = math.floor(share * (len(means) + 1) + 1e-9)  # the means cut the line into parts of equal chance
    return (float(means[place - 1]), float(means[-place])) if place else (-math.inf, math.inf)


def holm(ps: Sequence[float]) -> list[float]:
    """p values adjusted so that the chance of any false rejection among them stays at the level (Holm 1979)."""
    adjusted, highest = [0.0] * len(ps), 0.0
    for rank, place in enumerate(sorted(range(len(ps)), key=lambda k: ps[k])):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[place]))
        adjusted[place] = highest
    return adjusted


def pairs_needed(deviation: float, distance: float, alpha: float = ALPHA, power: float = POWER) -> int | None:
    """The least number of pairs with which a one-sided t-test tells a mean that is `distance` from the threshold; None above 10,000.

    From the noncentral t distribution; `deviation` is that of the differences.
    """
    from scipy.special import nctdtr, stdtrit

    if distance <= 0:
        return None
    if deviation == 0:
        return 2

    def reached(n: int) -> bool:
        shift, bound = distance * math.sqrt(n) / deviation, float(stdtrit(n - 1, 1 - alpha))
        return shift - bound > 8 or 1 - float(nctdtr(n - 1, shift, bound)) >= power

    low, high = 1, 2
    while not reached(high):
        low, high = high, 2 * high
        if low > MOST_PAIRS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high if high <= MOST_PAIRS else None


def _error(differences: np.ndarray) -> float:
    """The standard error of the mean; what is nothing but rounding is none."""
    error = float(differences.std(ddof=1)) / math.sqrt(len(differences))
    return error if error > 1e-12 * float(np.abs(differences).max()) else 0.0


def _t(differences: np.ndarray, threshold: float) -> float:
    from scipy.special import stdtr

    gap, error = float(differences.mean()) - threshold, _error(differences)
    if error == 0:
        return 0.0 if gap > 0 else 1.0
    return float(stdtr(len(differences) - 1, -gap / error))


def _signs(n: int) -> np.ndarray:
    """Rows of 0 and 1: every assignment to n pairs, the first all zeros; or drawn ones, keyed, behind that first."""
    if n <= EXACT:
        return (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    drawn = np.random.default_rng(mix(n, "signs")).integers(0, 2, (2**EXACT, n))
    return np.concatenate([np.zeros((1, n), dtype=drawn.dtype), drawn])


def _flipped(differences: np.ndarray) -> float:
    """The share of sign assignments whose sum is at least the sum as it is (which is one of them: Phipson and Smyth 2010)."""
    sums = (1 - 2 * _signs(len(differences))) @ differences
    slack = 1e-12 * float(np.abs(differences).sum())
    return float((sums >= sums[0] - slack).mean())


def _subset_means(differences: np.ndarray) -> np.ndarray:
    chosen = _signs(len(differences))[1:]
    sizes = chosen.sum(1)
    return (chosen[sizes > 0] @ differences) / sizes[sizes > 0]
