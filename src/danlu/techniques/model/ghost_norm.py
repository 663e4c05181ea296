"""Batch normalisation over groups of a stated size (Hoffer et al. 2017, "Train longer, generalize better").

Ordinary BatchNorm normalises over whatever rows are evaluated together, so its result depends on how a batch is split over micro-batches
and processes. With a stated group ("ghost") size its statistics are a fact of the recipe: any split at its multiples trains the same.

Formula: y = scale · (x − mean_k) / √(var_k + eps) + shift over each group k of `size` rows
When it helps: large batches, where the noise of small groups regularises; and whenever a model with BatchNorm is trained in micro-batches.
What it costs: one normalisation for each group instead of one for all, which shows in tiny nets only.
When not to use it: groups under about 16 rows give noisy statistics.
Failure signals: training is fine but validation is far worse: the running statistics do not fit groups so small.
Interactions: a micro-batch must be a multiple of `size`, or it is refused; `mixup` blends rows before they are grouped; `frozen_norm`
leaves it nothing to do.

原理: 批归一化按固定大小的小组计算统计量，因此结果由配方决定，而不取决于批次如何拆分。
公式: 对每个 `size` 行的小组 k：y = scale · (x − mean_k) / √(var_k + eps) + shift
何时有用: 大批次：小组的噪声有正则作用；凡是含批归一化又要用微批训练的模型。
代价: 每个小组各做一次归一化，只在很小的网络里看得出来。
何时不用: 每组少于约 16 行：统计量太吵。
失效信号: 训练正常而验证差得多：滑动统计量与这么小的组不相称。
相互作用: 微批必须是 `size` 的倍数，否则拒绝；`mixup` 在分组之前混合各行；有 `frozen_norm` 时它无事可做。

Scope: 2.9
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from danlu.core import Run, Technique
from danlu.errors import BadInput, Sentence
from danlu.fields import PositiveInt

RAGGED = Sentence(
    "ghost_norm(size={size}) would part a group between micro-batches of {rows} rows; set micro_batch_size to a multiple of {size}, or "
    "size to a divisor of {rows}",
    "ghost_norm(size={size}) 的分组会被 {rows} 行的微批拆开；请把 micro_batch_size 设为 {size} 的倍数，或把 size 设为 {rows} 的约数",
)


class GhostBatchNorm(nn.Module):
    """A BatchNorm that trains on groups of `ghost` rows and keeps the mean of their statistics; shares the parameters of `norm`."""

    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(self, norm: nn.modules.batchnorm._BatchNorm, ghost: int):
        super().__init__()
        self.ghost, self.eps, self.momentum = ghost, norm.eps, norm.momentum
        self.flat = isinstance(norm, nn.BatchNorm1d)  # a group of one row has no statistics
        self.weight, self.bias = norm.weight, norm.bias
        self.register_buffer("running_mean", norm.running_mean)
        self.register_buffer("running_var", norm.running_var)
        self.register_buffer("num_batches_tracked", norm.num_batches_tracked)

    def forward(self, x: Tensor) -> Tensor:
        """x: [rows, channels, ...]; the last, shorter group of an epoch is one group of its own."""
        if not self.training:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, self.running_mean is None, 0.0, self.eps)
        groups = x.split(self.ghost)
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return torch.cat([F.batch_norm(group, None, None, self.weight, self.bias, True, 0.0, self.eps) for group in groups])
        rate = self.momentum if self.momentum is not None else 1.0 / (int(self.num_batches_tracked) + 1)
        means, variances, out = torch.zeros_like(self.running_mean), torch.zeros_like(self.running_var), []
        for group in groups:
            mean, variance = self.running_mean.clone(), self.running_var.clone()
            out.append(F.batch_norm(group, mean, variance, self.weight, self.bias, True, rate, self.eps))
            means += mean * len(group)
            variances += variance * len(group)
        with torch.no_grad():
            self.running_mean.copy_(means / len(x))
            self.running_var.copy_(variances / len(x))
            self.num_batches_tracked += 1
        return torch.cat(out)


@dataclass
class GhostNorm(Technique):
    """Replace every BatchNorm by one over groups of `size` rows.

    size: rows of a group, the last of a batch may have fewer; micro_batch_size must be a multiple of it
        ｜ 每组的行数，批次的最后一组可以更少；micro_batch_size 必须是它的倍数
    中文: 以固定大小的分组做批归一化，统计量不随微批与进程的拆分而变。
    """

    size: PositiveInt = 32

    neutral: ClassVar = "one group of the whole batch equals BatchNorm, but which size that is depends on the recipe"

    def wrap_model(self, model: nn.Module, run: Run) -> nn.Module:
        for step in (0, run.plan.steps_per_epoch - 1):
            for part in run.plan.micro_batches(step, run.placement.world)[:-1]:
                if len(part) % self.size:
                    raise BadInput(RAGGED, size=self.size, rows=len(part))
        if isinstance(model, nn.modules.batchnorm._BatchNorm):
            return GhostBatchNorm(model, self.size)
        for parent in list(model.modules()):
            for name, child in list(parent.named_children()):
                if isinstance(child, nn.modules.batchnorm._BatchNorm):
                    setattr(parent, name, GhostBatchNorm(child, self.size))
        return model

    @classmethod
    def example(cls) -> GhostNorm:
        return cls(size=4)
