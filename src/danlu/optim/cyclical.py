"""The cyclical schedule (Smith 2017, "Cyclical learning rates for training neural networks")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from danlu.fields import Fraction, PositiveInt
from danlu.optim.schedules import Factor, Gamma, Inside, Schedule


@dataclass(frozen=True)
class Cyclical(Schedule):
    """Rises and falls in straight lines, again and again, between the low and the peak (Smith 2017).

    cycle: steps of one rise and fall ｜ 一升一降为一个周期，此为其步数
    low: where each cycle begins and ends, as a share of the peak ｜ 每个周期起止处的学习率与峰值之比
    rise: share of a cycle in which the rate rises ｜ 周期中上升段所占的比例
    shape: triangular (all cycles alike), halving (each half as high above the low as the one before) or decaying (by gamma a step)
        ｜ triangular 各周期相同，halving 每个周期高出低点的幅度减半，decaying 幅度每步乘以 gamma
    gamma: what decaying multiplies the height by each step ｜ decaying 时幅度每步乘以的系数
    warmup: steps of warm-up, or below 1 their share of the total ｜ 预热步数；小于 1 时为占总步数的比例
    warmup_shape: linear or exponential ｜ 预热的形状：linear 线性，exponential 指数

    Formula: factor = low + (1 − low) · share of the way up or down · height of the cycle
    When it helps: finding a range of rates, and giving `swa` or snapshots points at the low ends.
    What it costs: nothing; two rates and a length to tune.
    When not to use it: a single final model: half of the time goes into climbing again.
    Failure signals: each cycle ends where the one before did: nothing is gained by more of them.
    Interactions: `swa` averages its low points if every is the cycle; `reduce_on_plateau` and `early_stop` mistake each rise for a plateau.

    Scope: 9.2

    中文: 循环学习率：在低值与峰值之间反复线性升降。

    原理: 学习率在低值与峰值之间反复线性升降。
    公式: factor = low + (1 − low) · 上升或下降已走的份额 · 该周期的高度
    何时有用: 寻找学习率的范围；给 `swa` 或快照提供低点。
    代价: 没有代价；但有两个学习率和一个长度要调。
    何时不用: 只要一个最终模型时：一半时间花在重新爬升上。
    失效信号: 每个周期都结束在上一个的水平：再多也没有收益。
    相互作用: 若 every 取周期长度，`swa` 恰好平均各个低点；`reduce_on_plateau` 与 `early_stop` 会把每次上升误认为停滞。
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
