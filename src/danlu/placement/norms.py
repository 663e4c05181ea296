"""BatchNorm over the rows of all processes together, so that its statistics are those of the batch and not of the split (Peng et al. 2018).

A world of one keeps torch's own BatchNorm: there they are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Total = Callable[[Tensor], Tensor]  # the sum of a tensor over the processes


class SyncedBatchNorm(nn.Module):
    """A BatchNorm whose statistics in training are those of every process's rows; shares the parameters and buffers of `norm`."""

    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(self, norm: nn.modules.batchnorm._BatchNorm, total: Total):
        super().__init__()
        self.eps, self.momentum, self.total = norm.eps, norm.momentum, total
        self.weight, self.bias = norm.weight, norm.bias
        self.register_buffer("running_mean", norm.running_mean)
        self.register_buffer("running_var", norm.running_var)
        self.register_buffer("num_batches_tracked", norm.num_batches_tracked)

    def forward(self, x: Tensor) -> Tensor:
        """x: [rows, channels, ...]."""
        if not self.training and self.running_mean is not None:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps)
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        over = [dim for dim in range(x.dim()) if dim != 1]
        shape = [1, -1, *[1] * (x.dim() - 2)]
        count = self.total(torch.tensor(float(wide.numel() // wide.shape[1]), dtype=wide.dtype, device=x.device))
        mean = summed(wide.sum(over), self.total) / count
        centred = wide - mean.view(shape)
        variance = summed(centred.square().sum(over), self.total) / count  # around the common mean: a difference of sums loses digits
        if self.training and self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            with torch.no_grad():
                self.num_batches_tracked += 1
                rate = self.momentum if self.momentum is not None else 1.0 / float(self.num_batches_tracked)
                self.running_mean.lerp_(mean.to(self.running_mean), rate)
                self.running_var.lerp_((variance * count / (count - 1)).to(self.running_var), rate)
        out = centred * (variance.view(shape) + self.eps).rsqrt()
        if self.weight is not None:
            out = out * self.weight.view(shape) + self.bias.view(shape)
        return out.to(x.dtype)


def synced(model: nn.Module, total: Total) -> nn.Module:
    """`model` with every BatchNorm synchronised, under the same names; a new module if it is one itself."""
    if isinstance(model, nn.modules.batchnorm._BatchNorm):
        return SyncedBatchNorm(model, total).train(model.training)
    for name, child in list(model.named_children()):
        setattr(model, name, synced(child, total))
    return model


def summed(value: Tensor, total: Total) -> Tensor:
    """The sum over the processes, which can be differentiated: what it led to on any process comes back to all."""
    return cast(Tensor, _Summed.apply(value, total))


class _Summed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, total: Total) -> Tensor:
        ctx.total = total
        return total(value)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return ctx.total(grads[0].contiguous()), None
