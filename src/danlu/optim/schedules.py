"""Learning-rate schedules as pure functions of the step: `Cosine(warmup=500)(total_steps)(step)` is a factor of the peak rate.

Steps count from 0. A warm-up of W steps climbs from near nothing to the schedule's first value, which step W has; the schedule proper
then runs over the steps that are left, counted from 0 again, so `Step(every=100, warmup=50)` drops first at step 150. From the total on,
the factor stays where it ended. Factors compose like functions: `compose` multiplies them, `sequence` runs one after another.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import cos, inf, pi, sqrt
from typing import Annotated, Literal

from danlu import messages
from danlu.errors import BadInput
from danlu.fields import Fraction, NonNegative, Positive, PositiveInt, Range

Factor = Callable[[int], float]
Shape = Literal["linear", "exponential"]
Gamma = Annotated[float, Range(0, 1, open_low=True)]
Inside = Annotated[float, Range(0, 1, open_low=True, open_high=True)]
Cycles = Annotated[int, Range(1, 10_000)]
Growth = Annotated[float, Range(1, inf, open_high=True)]


def compose(*factors: Factor) -> Factor:
    """The product of the factors at every step."""

    def product(step: int) -> float:
        value = 1.0
        for factor in factors:
            value *= factor(step)
        return value

    return product


def sequence(parts: Sequence[tuple[int, Factor]]) -> Factor:
    """Each (steps, factor) lasts its number of steps and counts them from its own start; after the last, the value at its end stays."""
    parts = [(steps, factor) for steps, factor in parts if steps > 0]
    starts = [sum(steps for steps, _ in parts[:place]) for place in range(len(parts))]

    def joined(step: int) -> float:
        place = bisect_right(starts, step) - 1
        steps, factor = parts[place]
        return factor(min(step - starts[place], steps))

    return joined


def warmup_steps(warmup: float, total_steps: int) -> int:
    """`warmup` as a number of steps: below 1 it is a share of the total, which always leaves one step to the schedule proper.

    Raises BadInput if a number of steps leaves none.
    """
    if warmup < 1:
        return min(round(warmup * total_steps), total_steps - 1)
    if round(warmup) >= total_steps:
        raise BadInput(messages.WARMUP_TOO_LONG, warmup=warmup, total=total_steps)
    return round(warmup)


def ramp(steps: int, shape: Shape) -> Factor:
    """The climb of a warm-up: step s has done (s + 1) of the steps + 1 strides, so that none has a rate of 0 and step `steps` has 1.

    "linear" climbs by equal amounts (Goyal et al. 2017), "exponential" by equal ratios, from a hundredth.
    """
    if shape == "linear":
        return lambda step: (step + 1) / (steps + 1)
    return lambda step: 0.01 ** (1 - (step + 1) / (steps + 1))


def warmed(body: Factor, warmup: int, shape: Shape, steps: int) -> Factor:
    """`warmup` steps of climbing to the first value of `body`, then `steps` steps of it."""
    first = body(0)
    return sequence([(warmup, compose(ramp(warmup, shape), lambda _: first)), (steps, body)])


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """What all schedules share: `body(steps)` is the schedule proper, over the steps that the warm-up leaves."""

    warmup: NonNegative = 0.0
    warmup_shape: Shape = "linear"

    def __call__(self, total_steps: int) -> Factor:
        rise = warmup_steps(self.warmup, total_steps)
        return warmed(self.body(total_steps - rise), rise, self.warmup_shape, total_steps - rise)

    def body(self, steps: int) -> Factor:
        raise NotImplementedError


@dataclass(frozen=True)
class Constant(Schedule):
    """The same rate throughout.

    warmup: steps of warm-up, or below 1 their share of the total
    warmup_shape: linear or exponential

    Scope: 1.6

    中文: 学习率恒定不变（可带预热）。
    """

    def body(self, steps: int) -> Factor:
        return lambda step: 1.0


@dataclass(frozen=True)
class Step(Schedule):
    """Drops by the same ratio at equal distances.

    every: steps between drops
    gamma: what each drop multiplies by
    warmup: steps of warm-up, or below 1 their share of the total
    warmup_shape: linear or exponential

    Scope: 1.6

    中文: 每隔固定步数把学习率乘以 gamma。
    """

    every: PositiveInt
    gamma: Gamma = 0.1

    def body(self, steps: int) -> Factor:
        return lambda step: self.gamma ** (step // self.every)


@dataclass(frozen=True)
class MultiStep(Schedule):
    """Drops by the same ratio at given steps.

    milestones: the steps of the drops, counted from the end of the warm-up; one that is named twice drops twice
    gamma: what each drop multiplies by
    warmup: steps of warm-up, or below 1 their share of the total
    warmup_shape: linear or exponential

    Scope: 1.6

    中文: 在给定的各个步数处把学习率乘以 gamma。
    """

    milestones: tuple[PositiveInt, ...]
    gamma: Gamma = 0.1

    def body(self, steps: int) -> Factor:
        milestones = sorted(self.milestones)
        return lambda step: self.gamma ** bisect_right(milestones, step)


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine from the peak to the floor, in one cycle or with warm restarts (SGDR, Loshchilov & Hutter 2017).

    floor: where each cycle ends, as a share of the peak
    cycles: how many cycles fill the steps; each but the first is a restart at the peak
    growth: how much longer each cycle is than the one before
    warmup: steps of warm-up, or below 1 their share of the total
    warmup_shape: linear or exponential

    Scope: 1.6

    中文: 余弦退火：学习率沿半个余弦降到 floor；可多次热重启，各周期可逐次加长。
    """

    floor: Fraction = 0.0
    cycles: Cycles = 1
    growth: Growth = 1.0

    def body(self, steps: int) -> Factor:
        lengths = [self.growth ** (cycle - self.cycles) for cycle in range(self.cycles)]  # negative powers cannot overflow
        whole = sum(lengths)
        bounds = [round(steps * before / whole) for before in accumulate(lengths, initial=0.0)]

        def factor(step: int) -> float:
            cycle = bisect_right(bounds, step) - 1
            share = 1.0 if step >= steps else (step - bounds[cycle]) / (bounds[cycle + 1] - bounds[cycle])
            return self.floor + (1 - self.floor) * (1 + cos(pi * share)) / 2

        return factor


@dataclass(frozen=True)
class Exponential(Schedule):
    """Falls by the same ratio over equal distances, smoothly.

    gamma: what the rate is multiplied by over `every` steps
    every: steps that gamma is for
    warmup: steps of warm-up, or below 1 their share of the total
    warmup_shape: linear or exponential

    Scope: 1.6

    中文: 指数衰减：每 every 步平滑地衰减为原来的 gamma 倍。
    """

    gamma: Gamma = 0.999
    every: PositiveInt = 1

    def body(self, steps: int) -> Factor:
        return lambda step: self.gamma ** (step / self.every)


@dataclass(frozen=True)
class Polynomial(Schedule):
    """Falls to the floor as a power of the share of steps that is left.

    power: 1 is a straight line; larger falls sooner
    floor: where it ends, as a share of the peak
    warmup: steps of warm-up, or below 1 their share of the total
    warmup_shape: linear or exponential

    Scope: 1.6

    中文: 多项式衰减：按剩余步数占比的 power 次幂降到 floor。
    """

    power: Positive = 2.0
    floor: Fraction = 0.0

    def body(self, steps: int) -> Factor:
        return lambda step: self.floor + (1 - self.floor) * (1 - step / steps) ** self.power


@dataclass(frozen=True)
class Linear(Schedule):
    """A straight line from the peak to the floor.

    floor: where it ends, as a share of the peak
    warmup: steps of warm-up, or below 1 their share of the total
    warmup_shape: linear or exponential

    Scope: 1.6

    中文: 线性衰减：学习率沿直线降到 floor。
    """

    floor: Fraction = 0.0

    def body(self, steps: int) -> Factor:
        return lambda step: self.floor + (1 - self.floor) * (1 - step / steps)


@dataclass(frozen=True)
class InverseSqrt(Schedule):
    """Falls with the root of the step; with as much warm-up as timescale it is the Transformer's (Vaswani et al. 2017).

    timescale: steps after which the factor is the root of a half
    warmup: steps of warm-up, or below 1 their share of the total
    warmup_shape: linear or exponential

    Scope: 1.6

    中文: 平方根倒数衰减；timescale 与预热步数相等时即 Transformer 原论文的调度。
    """

    timescale: PositiveInt = 1000

    def body(self, steps: int) -> Factor:
        return lambda step: sqrt(self.timescale / (self.timescale + step))


@dataclass(frozen=True)
class WSD(Schedule):
    """Warm-up, stable, decay: the peak for most of the run, then a decay (Hu et al. 2024; shapes after Hägele et al. 2024).

    decay: the decay's share of the steps after the warm-up; at least one step
    shape: how it decays: linear, sqrt (1 minus the root of the share done) or cosine
    floor: where it ends, as a share of the peak
    warmup: steps of warm-up, or below 1 their share of the total
    warmup_shape: linear or exponential

    Scope: 1.6

    中文: WSD（预热—稳定—衰减）：大部分时间保持峰值学习率，最后一段再降到 floor。
    """

    decay: Gamma = 0.2
    shape: Literal["linear", "sqrt", "cosine"] = "sqrt"
    floor: Fraction = 0.0

    def body(self, steps: int) -> Factor:
        length = max(1, round(self.decay * steps))
        shapes: dict[str, Callable[[float], float]] = {
            "linear": lambda x: 1 - x,
            "sqrt": lambda x: 1 - sqrt(x),
            "cosine": lambda x: (1 + cos(pi * x)) / 2,
        }
        left = shapes[self.shape]
        return lambda step: self.floor + (1 - self.floor) * left(max(0, step - (steps - length)) / length)


@dataclass(frozen=True)
class OneCycle(Schedule):
    """One rise to the peak and one fall below the start, both half cosines (Smith & Topin 2018); the last step has the floor.

    The optimiser's rate is the peak. Only the rate cycles, not the momentum. Its rise is a warm-up of its own.

    rise: share of the steps in which the rate rises
    start: where it starts, as a share of the peak
    floor: where it ends, as a share of the peak
    warmup: steps of warm-up before the rise, or below 1 their share of the total
    warmup_shape: linear or exponential

    Scope: 1.6

    中文: 单周期策略：学习率先沿半个余弦升到峰值，再沿半个余弦降到远低于起点的值。
    """

    rise: Inside = 0.3
    start: Fraction = 0.04
    floor: Fraction = 4e-6

    def body(self, steps: int) -> Factor:
        peak, last = self.rise * steps - 1, steps - 1  # counted in steps from 0; the peak may lie between two

        def factor(step: int) -> float:
            if step < peak:
                return self.start + (1 - self.start) * (1 - cos(pi * step / peak)) / 2
            share = min((step - max(peak, 0)) / (last - max(peak, 0)), 1.0) if last > 0 else 0.0
            return self.floor + (1 - self.floor) * (1 + cos(pi * share)) / 2

        return factor
