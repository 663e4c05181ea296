"""An exponential moving average of the weights, to validate, export and keep (Polyak & Juditsky 1992; Tarvainen & Valpola 2017).

When it helps: nearly always a little, most where the rate stays high to the end; it stands in for a rate decay.
What it costs: one copy of the weights and one fused pass over them a step.
When not to use it: in very short runs the average lags behind; lower the decay or start later.
Scope: 2.10
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from danlu.core import Evaluate, Outcome, Run, Technique, Update
from danlu.fields import Fraction


@dataclass
class EMA(Technique):
    """Keep average <- decay * average + (1 - decay) * weights after every step that moved; buffers are copied as they are.

    decay: share of the old average that stays, a step; 1 never moves
    warmup: let the decay rise as (1 + n) / (10 + n) over the first steps, so that a short run is not dominated by the initial weights
    中文: 权重的指数滑动平均，用于验证、导出与保存。
    """

    decay: Fraction = 0.999
    warmup: bool = True

    state: ClassVar = ("average", "moves")
    neutral: ClassVar = {}  # the average is beside the weights: training is unchanged whatever the fields
    changes: ClassVar = "memory"

    def wrap_update(self, update: Update, run: Run) -> Update:
        named = run.placement.state(run.model, run.optimizer)["model"]  # the live tensors, tied ones once
        self.average, self.moves = named, 0  # until the first move the average is the weights themselves, whoever loads some
        moving = {name for name, p in run.model.named_parameters() if p.requires_grad}
        blended = [name for name in named if name in moving]
        copied = [name for name in named if name not in moving]

        def averaged(evaluate: Evaluate) -> Outcome:
            if self.moves == 0:
                self.average = {name: value.clone() for name, value in named.items()}
            outcome = update(evaluate)
            if outcome.moved:
                decay = min(self.decay, (1 + self.moves) / (10 + self.moves)) if self.warmup else self.decay
                with torch.no_grad():
                    torch._foreach_lerp_([self.average[n] for n in blended], [named[n] for n in blended], 1 - decay)
                    for name in copied:
                        self.average[name].copy_(named[name])
                self.moves += 1
            return outcome

        return averaged

    def shadow(self) -> dict[str, Tensor]:
        return self.average
