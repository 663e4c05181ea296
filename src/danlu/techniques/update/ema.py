"""An exponential moving average of the weights, to validate, export and keep (Polyak & Juditsky 1992; Tarvainen & Valpola 2017).

Formula: v ← decay · v + (1 − decay) · w, with decay at most (1 + n) / (10 + n) in warm-up
When it helps: nearly always a little, most where the rate stays high to the end; it stands in for a rate decay.
What it costs: one copy of the weights and one fused pass over them a step.
When not to use it: in very short runs the average lags behind; lower the decay or start later.
Failure signals: validation of the average is worse than that of the raw weights and catches up only late: decay is too near one for so few
steps.
Interactions: what `validate`, `early_stop` and export see is the average; with a rate that decays to zero it gains little; beside `swa` or
`lookahead` only one average can be the one that counts.

原理: 每步之后让平均权重向当前权重移动一点；验证、导出与保存都用这个平均，训练本身不变。
公式: v ← decay · v + (1 − decay) · w，预热时 decay 不超过 (1 + n) / (10 + n)
何时有用: 几乎总有一点帮助，学习率一直居高时最明显；可以代替学习率衰减。
代价: 一份权重副本，每步融合遍历一次。
何时不用: 步数很少的训练：平均值会落后；请降低 decay 或晚些开始。
失效信号: 平均权重的验证结果不如原始权重，很晚才追上：对这么少的步数，decay 太接近一。
相互作用: `validate`、`early_stop` 与导出看到的是平均权重；学习率降到零时收益很小；与 `swa` 或 `lookahead` 并用时，只有一个平均算数。

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

    decay: share of the old average that stays, a step; 1 never moves ｜ 每步保留旧平均的份额；1 则永远不动
    warmup: let the decay rise as (1 + n) / (10 + n) over the first steps, so that a short run is not dominated by the initial weights
        ｜ 开头让 decay 按 (1 + n) / (10 + n) 升高，以免短训练的平均被初始权重左右
    中文: 权重的指数滑动平均，用于验证、导出与保存。
    """

    decay: Fraction = 0.999
    warmup: bool = True

    state: ClassVar = ("average", "moves")
    neutral: ClassVar = {}  # the average is beside the weights: training is unchanged whatever the fields
    changes: ClassVar = "memory"

    def wrap_update(self, update: Update, run: Run) -> Update:
        named = run.placement.live(run.model)  # tied ones once
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
                    average, now = ([of[n] for n in blended] for of in (self.average, named))
                    torch._foreach_lerp_(run.placement.local(average), run.placement.local(now), 1 - decay)
                    for name in copied:
                        self.average[name].copy_(named[name])
                self.moves += 1
            return outcome

        return averaged

    def shadow(self) -> dict[str, Tensor]:
        return self.average
