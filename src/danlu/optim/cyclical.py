"""The cyclical schedule (Smith 2017, "Cyclical learning rates for training neural networks")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from danlu.fields import Fraction, PositiveInt
from danlu.optim.schedules import Factor, Gamma, Inside, Schedule


@dataclass(frozen=True)
class Cyclical(Schedule):
    """Rises and falls in straight lines, again and again, between the low and the peak (Smith 2017).

    cycle: steps of one rise and fall
    low: where each cycle begins and ends, as a share of the peak
    rise: share of a cycle in which the rate rises
    shape: triangular (all cycles alike), halving (each half as high above the low as the one before) or decaying (by gamma a step)
    gamma: what decaying multiplies the height by each step
    warmup: steps of warm-up, or below 1 their share of the total
    warmup_shape: linear or exponential

    Scope: 9.2

    中文: 循环学习率：在低值与峰值之间反复线性升降。
    """

    cycle: PositiveInt = 2000
    low: Fraction = 0.1
    rise: Inside = 0.5
    shape: Literal["triangular", "halving", "decaying"] = "triangular"
    gamma: Gamma = 0.9999

    def body(self, steps: int) -> Factor:
        top = self.rise * self.cycle
        heights = {
            "triangular": lambda step: 1.0,
            "halving": lambda step: 0.5 ** (step // self.cycle),
            "decaying": lambda step: self.gamma**step,
        }
        height = heights[self.shape]

        def factor(step: int) -> float:
            place = step % self.cycle
            share = place / top if place <= top else (self.cycle - place) / (self.cycle - top)
            return self.low + (1 - self.low) * share * height(step)

        return factor
