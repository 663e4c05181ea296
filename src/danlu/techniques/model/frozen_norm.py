"""BatchNorm with fixed statistics (He et al. 2016, "Deep residual learning", as used for detection; Wu & Johnson 2021, "Rethinking batch in
BatchNorm").

Formula: y = scale · (x − running_mean) / √(running_var + eps) + shift, in training too
When it helps: fine-tuning a pretrained net with small batches, whose statistics are too noisy; and accumulation, since nothing depends on
how a batch is split any more.
What it costs: nothing; it is a little faster.
When not to use it: training from scratch, where the statistics are not known yet.
Failure signals: from scratch the loss hardly falls or is not finite: the statistics are still those of the start.
Interactions: makes `ghost_norm` pointless (there are no batch statistics left) and micro-batches exact; `swa` has no statistics to measure
again.

原理: 训练时批归一化也使用固定的统计量，缩放与平移可照常训练。
公式: y = scale · (x − running_mean) / √(running_var + eps) + shift，训练时也如此
何时有用: 用小批次微调预训练网络（其统计量太吵）；还有梯度累积：结果不再取决于批次如何拆分。
代价: 没有代价，还略快一些。
何时不用: 从零训练：统计量此时尚不可知。
失效信号: 从零训练时损失几乎不降，甚至不再是有限值：统计量还停在初始值。
相互作用: 用了它，`ghost_norm` 就没有意义（已无批统计量），微批则变得精确；`swa` 也没有统计量可重估。

Scope: 2.9
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from danlu.core import Run, Technique


class FrozenBatchNorm(nn.Module):
    """A BatchNorm that always normalises by the running statistics that `norm` has; shares its parameters and buffers."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, norm: nn.modules.batchnorm._BatchNorm):
        super().__init__()
        self.eps, self.weight, self.bias = norm.eps, norm.weight, norm.bias
        for name, buffer in norm.named_buffers(recurse=False):
            self.register_buffer(name, buffer)

    def forward(self, x: Tensor) -> Tensor:
        """x: [rows, channels, ...]."""
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps)


def frozen(model: nn.Module) -> nn.Module:
    """`model` with every BatchNorm that has running statistics frozen, under the same names; a new module if it is one itself."""
    if isinstance(model, nn.modules.batchnorm._BatchNorm):
        return FrozenBatchNorm(model) if model.running_mean is not None else model
    for name, child in list(model.named_children()):
        setattr(model, name, frozen(child))
    return model


@dataclass
class FrozenNorm(Technique):
    """Normalise by the running statistics that the model starts with, in training as in evaluation.

    affine: train scale and shift; else they are fixed, too ｜ 训练缩放与平移；false 时两者也固定
    中文: 冻结批归一化：训练时也使用固定的统计量。
    """

    affine: bool = True

    neutral: ClassVar = "fixed statistics are other statistics than those of the batch"

    def wrap_model(self, model: nn.Module, run: Run) -> nn.Module:
        model = frozen(model)
        if not self.affine:
            for module in model.modules():
                if isinstance(module, FrozenBatchNorm):
                    module.requires_grad_(False)
        return model
