"""Slow weights that look where the optimiser's fast ones go, and follow part of the way (Zhang et al. 2019, "Lookahead optimizer: k steps
forward, 1 step back").

Formula: every k steps: slow ← slow + share · (fast − slow), fast ← slow
When it helps: noisy or too large rates; it lowers the variance of any optimiser with little tuning.
What it costs: one copy of the weights, and a pass over them every few steps.
When not to use it: with an EMA for the same purpose, or where the training is already smooth.
Failure signals: progress is slower than without by about the share: the fast weights were not noisy to begin with.
Interactions: the optimiser keeps its momentum when the fast weights are put back; the slow weights are what is validated; beside `ema` the
second average is of little use.

原理: 每 every 步，慢权重朝快权重移动 share 的距离，快权重再从那里出发；验证与导出用慢权重。
公式: 每 k 步：slow ← slow + share · (fast − slow)，fast ← slow
何时有用: 噪声大或偏大的学习率：几乎不用调就能降低任何优化器的方差。
代价: 一份权重副本，每隔几步遍历一次。
何时不用: 已经为同样目的用了 EMA，或训练本来就平稳。
失效信号: 进展比不用时慢，大致慢了 share 的比例：快权重本来就不吵。
相互作用: 快权重被拉回时优化器保留其动量；验证的是慢权重；再加 `ema`，第二个平均没什么用。

Scope: 3.1
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from danlu.core import Evaluate, Outcome, Run, Technique, Update
from danlu.fields import Fraction, PositiveInt


@dataclass
class Lookahead(Technique):
    """Every `every` steps, slow weights go `share` of the way to the fast ones, and the fast ones start again from there.

    The slow weights are what is validated and exported. The optimiser keeps its momentum.

    every: steps of the optimiser for one of the slow weights ｜ 优化器每走这么多步，慢权重移动一次
    share: how far the slow weights follow ｜ 慢权重朝快权重移动的比例
    中文: Lookahead：每 every 步，慢权重朝快权重移动 share 的距离，快权重再从那里出发。
    """

    every: PositiveInt = 5
    share: Fraction = 0.5

    state: ClassVar = ("average", "moves")
    neutral: ClassVar = {"share": 1.0}

    def wrap_update(self, update: Update, run: Run) -> Update:
        named = run.placement.live(run.model)  # tied ones once
        self.average, self.moves = named, 0  # until the first move, the weights themselves, whoever loads some
        moving = [name for name, p in run.model.named_parameters() if p.requires_grad and name in named]
        fast = [named[name] for name in moving]

        def followed(evaluate: Evaluate) -> Outcome:
            if self.moves == 0:
                self.average = {name: value.clone() for name, value in named.items()}
            outcome = update(evaluate)
            if outcome.moved:
                self.moves += 1
                with torch.no_grad():
                    for name in named.keys() - set(moving):
                        self.average[name].copy_(named[name])
                    if self.moves % self.every == 0:
                        slow = [self.average[name] for name in moving]
                        slow, here = run.placement.local(slow), run.placement.local(fast)
                        torch._foreach_lerp_(slow, here, self.share)
                        torch._foreach_copy_(here, slow)
            return outcome

        return followed

    def shadow(self) -> dict[str, Tensor]:
        return self.average

    @classmethod
    def example(cls) -> Lookahead:
        return cls(every=2)
