"""Slow weights that look where the optimiser's fast ones go, and follow part of the way (Zhang et al. 2019, "Lookahead optimizer: k steps
forward, 1 step back").

When it helps: noisy or too large rates; it lowers the variance of any optimiser with little tuning.
What it costs: one copy of the weights, and a pass over them every few steps.
When not to use it: with an EMA for the same purpose, or where the training is already smooth.
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

    every: steps of the optimiser for one of the slow weights
    share: how far the slow weights follow
    中文: Lookahead：每 every 步，慢权重朝快权重移动 share 的距离，快权重再从那里出发。
    """

    every: PositiveInt = 5
    share: Fraction = 0.5

    state: ClassVar = ("average", "moves")
    neutral: ClassVar = {"share": 1.0}

    def wrap_update(self, update: Update, run: Run) -> Update:
        named = run.placement.state(run.model, run.optimizer)["model"]  # the live tensors, tied ones once
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
                        torch._foreach_lerp_(slow, fast, self.share)
                        torch._foreach_copy_(fast, slow)
            return outcome

        return followed

    def shadow(self) -> dict[str, Tensor]:
        return self.average

    @classmethod
    def example(cls) -> Lookahead:
        return cls(every=2)
