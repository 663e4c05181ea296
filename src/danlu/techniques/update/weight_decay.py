"""Decoupled weight decay for any optimiser: matrices shrink by the rate times the decay after each step (Loshchilov & Hutter 2019).

Formula: w ← (1 − rate · decay) · w for matrices, after each step that moved
When it helps: with optimisers whose own decay goes through the gradient (sgd, adam, rmsprop, adagrad), where it is divided by their scales.
What it costs: one fused multiplication of the weights a step.
When not to use it: beside an optimiser that decays decoupled itself (adamw, lion, muon); set its weight_decay instead.
Failure signals: training loss stops falling early and weights keep shrinking: too strong; their norm grows without bound: it does not reach
them (only matrices decay).
Interactions: adds to an optimiser's own weight_decay, so set one of them; a schedule scales it too, since it multiplies by the rate; `clip`
and gradients know nothing of it.

原理: 每步之后把矩阵乘以 1 − 学习率 × 衰减，与梯度无关，因此适用于任何优化器。
公式: 每次移动之后，对矩阵：w ← (1 − rate · decay) · w
何时有用: 自带衰减要经过梯度的优化器（sgd、adam、rmsprop、adagrad）：在那里衰减会被其尺度除掉。
代价: 每步对权重做一次融合的乘法。
何时不用: 优化器本身就是解耦衰减（adamw、lion、muon）时，请设它的 weight_decay。
失效信号: 训练损失早早不再下降而权重一直变小：太强；权重范数无限增长：衰减没有作用到它们（只有矩阵会衰减）。
相互作用: 会与优化器自带的 weight_decay 叠加，只设其一；它乘以学习率，因此也随调度变化；`clip` 与梯度对它一无所知。

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

    decay: how much they shrink, as a multiple of the rate of their group ｜ 权重衰减：每步把矩阵缩小“所在参数组的学习率 × 该系数”
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
                            torch._foreach_mul_(run.placement.local(params), 1 - group["lr"] * self.decay)
            return outcome

        return shrunk
