"""The plain average of the weights over the last part of the training (Izmailov et al. 2018, "Averaging weights leads to wider optima").

Formula: v ← v + (w − v) / (n + 1) at each of n looks in the last part of the run
When it helps: after a constant or cyclical rate that stays high: the average lies in the middle of the basin whose rim the weights visit.
What it costs: one copy of the weights; for a model with BatchNorm a forward pass over the training rows each time one is taken in.
When not to use it: with a rate that decays to nothing; the last weights are then as good as their average.
Failure signals: the average is worse than the last weights: the rate had decayed already, or BatchNorm's statistics were not measured
again.
Interactions: made for a constant or `cyclical` rate: a schedule that decays to nothing leaves it nothing to average; beside `ema` only one
average can be the one that counts; a net with BatchNorm pays a pass over the rows each time.

原理: 训练后段每隔一段时间取一次权重求平均，验证与导出用平均；批归一化的统计量随之重估。
公式: 训练后段每次取样：v ← v + (w − v) / (n + 1)
何时有用: 学习率一直居高的恒定或循环调度之后：权重绕着盆地边缘走，平均落在盆地中央。
代价: 一份权重副本；含批归一化的模型每次取样要对训练数据做一次前向。
何时不用: 学习率降到零的调度：最后的权重已经和平均一样好。
失效信号: 平均比最后的权重还差：学习率早已降下来，或没有重估批归一化的统计量。
相互作用: 为恒定或 `cyclical` 学习率而设：降到零的调度没有可平均的；与 `ema` 并用时只有一个平均算数；
含批归一化的网络每次都要付一次前向的代价。

Scope: 2.10
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from danlu.core import Evaluate, Outcome, Run, Technique, Update
from danlu.fields import Fraction, NonNegativeInt
from danlu.losses.criterion import forward


@dataclass
class SWA(Technique):
    """Average the weights, from a share of the steps on, once an epoch or every so many steps; validate and export the average.

    start: share of the steps after which the average begins ｜ 从总步数的这个比例处开始平均
    every: steps between two weights that are averaged; 0 is once an epoch ｜ 每隔多少步取一次权重求平均；0 为每轮一次
    restate: measure the statistics of BatchNorm again for the average, over one epoch of training rows; else the last ones are kept
        ｜ 为平均权重重新估计 BatchNorm 的统计量，遍历一轮训练数据；false 则沿用最后的统计量
    中文: 随机权重平均：训练后段对权重取平均，用于验证与导出；批归一化的统计量随之重新估计。
    """

    start: Fraction = 0.75
    every: NonNegativeInt = 0
    restate: bool = True

    state: ClassVar = ("average", "taken")
    average = None  # type: dict[str, Tensor] | None  # where the state starts
    taken = 0
    neutral: ClassVar = {}  # the average is beside the weights: training is unchanged whatever the fields
    changes: ClassVar = "memory"

    def wrap_update(self, update: Update, run: Run) -> Update:
        named = run.placement.live(run.model)  # tied ones once
        moving = [name for name, p in run.model.named_parameters() if p.requires_grad and name in named]
        every = self.every or run.plan.steps_per_epoch

        def averaged(evaluate: Evaluate) -> Outcome:
            outcome = update(evaluate)
            done = run.step + 1
            if outcome.moved and done > self.start * run.total and (done % every == 0 or done == run.total):
                average = {name: value.clone() for name, value in named.items()} if self.average is None else self.average
                with torch.no_grad():
                    mean, now = (run.placement.local([of[n] for n in moving]) for of in (average, named))
                    torch._foreach_lerp_(mean, now, 1 / (self.taken + 1))
                    for name in named.keys() - set(moving):
                        average[name].copy_(named[name])
                self.average, self.taken = average, self.taken + 1
                if self.restate:
                    average |= restated(run, average)
            return outcome

        return averaged

    def shadow(self) -> dict[str, Tensor] | None:
        return self.average

    @classmethod
    def example(cls) -> SWA:
        return cls(start=0.3, every=1)


@torch.no_grad()
def restated(run: Run, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The running statistics of batch norms that `weights` have over one epoch of training rows, by name; nothing of the run is moved."""
    norms = [m for m in run.model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm) or hasattr(m, "ghost")]
    tracking: list[Any] = [m for m in norms if m.running_mean is not None]
    if not tracking:
        return {}
    held = {id(buffer) for m in tracking for buffer in m.buffers(recurse=False)}
    named = run.placement.named(run.model)
    epoch = run.step // run.plan.steps_per_epoch * run.plan.steps_per_epoch
    momenta = [m.momentum for m in tracking]
    with run.placement.looking(run.model, weights), run.placement.precision.autocast():
        try:
            for m in tracking:
                m.running_mean.zero_()
                m.running_var.fill_(1)
                m.num_batches_tracked.zero_()
                m.train()
            seen = 0
            for batch in run.placement.stream(run.data.train, run.plan, epoch, epoch + run.plan.steps_per_epoch):
                if batch.counts["rows"]:
                    seen += 1
                    for m in tracking:
                        m.momentum = 1 / seen  # a plain mean over batches; torch's own (None) asks the device how many there were
                    forward(run.model, batch.inputs)
        finally:
            for m, momentum in zip(tracking, momenta):
                m.momentum = momentum
        found = {name: value.clone() for name, value in named.items() if id(value) in held}
    world = run.placement.world
    return {name: run.placement.sum(v) / world if v.is_floating_point() else v for name, v in found.items()}
