"""Timing arms side by side: interleaved rounds in one process, ratios by round, and the same arm twice beside every comparison.

Machines are shared and noisy, so seconds mean little and ratios within a round mean more. An interval is the 95 % bootstrap interval of the
median ratio; a bound holds when its upper end, less what the A/A pair strays from one, is under it.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """The median over rounds of arm / base, with the ends of its 95 % interval."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3f} [{self.low:.3f}, {self.high:.3f}]"


def interleaved(
    arms: dict[str, Callable[[], None]], rounds: int, warm: int = 3, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Seconds of each arm in each round; the order is drawn anew every round. clock: `time.process_time` where others use the machine."""
    order = random.Random(0)
    times: dict[str, list[float]] = {name: [] for name in arms}
    for turn in range(-warm, rounds):
        names = list(arms)
        order.shuffle(names)
        for name in names:
            start = clock()
            arms[name]()
            spent = clock() - start
            if turn >= 0:
                times[name].append(spent)
    return times


def ratio(arm: list[float], base: list[float], draws: int = 2000) -> Ratio:
    """Paired by round."""
    ratios = [a / b for a, b in zip(arm, base, strict=True)]
    chance = random.Random(1)
    medians = sorted(statistics.median(chance.choices(ratios, k=len(ratios))) for _ in range(draws))
    return Ratio(statistics.median(ratios), medians[int(0.025 * draws)], medians[int(0.975 * draws)])


def holds(found: Ratio, same: Ratio, bound: float) -> bool:
    """Whether the upper end, less the spread of the A/A pair, is at most the bound."""
    return found.high - max(abs(same.low - 1), abs(same.high - 1)) <= bound


def verdict(found: Ratio, same: Ratio, bound: float) -> str:
    return f"{found}  bound {bound:.2f}: {'holds' if holds(found, same, bound) else 'DOES NOT HOLD'}"
