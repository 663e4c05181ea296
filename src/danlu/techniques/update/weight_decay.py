"""Decoupled weight decay for any optimiser: matrices shrink by the rate times the decay after each step (Loshchilov & Hutter 2019).

When it helps: with optimisers whose own decay goes through the gradient (sgd, adam, rmsprop, adagrad), where it is divided by their scales.
What it costs: one fused multiplication of the weights a step.
When not to use it: beside an optimiser that decays decoupled itself (adamw, lion, muon); set its weight_decay instead.
Scope: 2.7, 3.7
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from danlu.core import Evaluate, Outcome, Run, Technique, Update
from danlu.fields import NonNegative
from danlu.optim.groups import decaying


@dataclass
class WeightDecay(Technique):
    """After each step that moved, multiply matrices by 1 - rate * decay; norms, biases and embeddings stay.

    decay: how much they shrink, as a multiple of the rate of their group
    中文: 解耦的权重衰减：每步之后按“学习率 × 衰减”缩小矩阵，适用于任何优化器。
    """

    decay: NonNegative = 0.01

    neutral: ClassVar = {"decay": 0.0}

    def wrap_update(self, update: Update, run: Run) -> Update:
        if self.decay == 0.0:
            return update
        matrices = set(decaying(run.model))
        parts = [(group, [p for p in group["params"] if p in matrices]) for group in run.optimizer.param_groups]

        def shrunk(evaluate: Evaluate) -> Outcome:
            outcome = update(evaluate)
            if outcome.moved:
                with torch.no_grad():
                    for group, params in parts:
                        if params:
                            torch._foreach_mul_(params, 1 - group["lr"] * self.decay)
            return outcome

        return shrunk
