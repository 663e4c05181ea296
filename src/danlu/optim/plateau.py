"""Reduce on plateau: the one schedule with state, because it answers to what is measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Literal

from danlu.core import Report, Technique
from danlu.fields import Fraction, NonNegative, NonNegativeInt
from danlu.optim.factors import Factor, Shape, compose, ramp, sequence, warmup_steps
from danlu.optim.schedules import Gamma

if TYPE_CHECKING:
    from danlu.core import Reports, Run


@dataclass
class ReduceOnPlateau(Technique):
    """Multiplies the rate by a factor whenever a metric has not improved for a while; both a schedule and a technique on reports.

    Each report that carries the metric is one look, and the next step's rate follows it. Better means better by more than `threshold`,
    relative to the best so far; what is not finite is never better.

    watch: the metric ｜ 所看的指标
    mode: whether it should become small (min) or large (max) ｜ 指标越小越好（min）还是越大越好（max）
    factor: what the rate is multiplied by ｜ 每次降低时学习率乘以的系数
    patience: looks without improvement that are put up with; the next one reduces ｜ 容忍多少次没有改善的验证；再有一次就降低
    threshold: relative improvement below which a look counts as none ｜ 相对改善不足此值，就算没有改善
    cooldown: looks after a reduction that are not counted ｜ 降低之后有多少次验证不计入
    floor: the smallest rate, as a share of the peak ｜ 学习率的下限与峰值之比
    warmup: steps of warm-up, or below 1 their share of the total ｜ 预热步数；小于 1 时为占总步数的比例
    warmup_shape: linear or exponential ｜ 预热的形状：linear 线性，exponential 指数

    Formula: rate ← max(factor · rate, floor · peak) when `watch` has not improved by `threshold` in more than `patience` looks
    When it helps: runs of unknown length on a metric that can be trusted: the rate falls when progress ends.
    What it costs: nothing; it waits `patience` looks before each drop.
    When not to use it: noisy metrics and short runs, in which patience never runs out.
    Failure signals: no drop at all in a whole run: patience is too long or looks are too few; a cascade of drops: it is too short for the
    noise.
    Interactions: needs `validate` to measure what it watches; `early_stop` must be more patient than it; what it did is in the saved state,
    so a resumed run goes on alike.

    Scope: 1.6

    中文: 指标停滞时降低学习率：连续若干次验证没有改善，就把学习率乘以 factor。

    原理: 指标连续若干次没有改善，就把学习率乘以 factor；既是调度，也是作用于报告的技巧。
    公式: `watch` 超过 `patience` 次没有改善 `threshold` 时：rate ← max(factor · rate, floor · peak)
    何时有用: 长度未知、指标可信的训练：进展停了，学习率才降。
    代价: 没有代价；但每次下降之前要先等 `patience` 次。
    何时不用: 指标噪声大，或训练太短、耐心永远用不完。
    失效信号: 整个训练一次都没降：耐心太长或观察太少；接连下降：耐心短于噪声。
    相互作用: 需要 `validate` 来测量它所看的指标；`early_stop` 必须比它更有耐心；它做过什么都存在状态里，续训后照旧。
    """

    watch: str = "val_loss"
    mode: Literal["min", "max"] = "min"
    factor: Gamma = 0.1
    patience: NonNegativeInt = 10
    threshold: NonNegative = 1e-4
    cooldown: NonNegativeInt = 0
    floor: Fraction = 0.0
    warmup: NonNegative = 0.0
    warmup_shape: Shape = "linear"

    state = ("scale", "best", "bad", "wait")
    neutral = {"factor": 1.0}

    # Where the state starts, held by the class: readable before the first report, and no field. A loaded state shadows it.
    scale = 1.0  # the share of the peak rate that is left
    best = None  # type: float | None
    bad = 0  # looks since the best one
    wait = 0  # looks left of a cooldown

    def __call__(self, total_steps: int) -> Factor:
        rise = warmup_steps(self.warmup, total_steps)
        climb = sequence([(rise, ramp(rise, self.warmup_shape)), (total_steps - rise, lambda step: 1.0)])
        return compose(climb, lambda step: self.scale)

    def wrap_reports(self, reports: Reports, run: Run) -> Reports:
        def watched() -> Iterator[Report]:
            for report in reports:
                if self.watch in report.metrics:
                    self.look(float(report.metrics[self.watch]))
                yield report

        return watched()

    def look(self, value: float) -> None:
        """Take one measurement into account."""
        if self.better(value):
            self.best, self.bad = value, 0
        else:
            self.bad += 1
        if self.wait > 0:
            self.wait, self.bad = self.wait - 1, 0
        if self.bad > self.patience:
            self.scale = min(self.scale, max(self.scale * self.factor, self.floor))
            self.wait, self.bad = self.cooldown, 0

    def better(self, value: float) -> bool:
        if self.best is None:
            return isfinite(value)
        margin = self.threshold * abs(self.best)
        gain = self.best - value if self.mode == "min" else value - self.best
        return isfinite(value) and gain > margin

    @classmethod
    def example(cls) -> ReduceOnPlateau:
        return cls(factor=0.5, patience=0, threshold=0.5)
