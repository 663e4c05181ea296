"""Dropout whose masks are functions of (seed, module path, step, call, sample id), so no split of a batch can change them.

Inside a step the masks come from `keys.Keyed`: one batch of 64 and four of 16 drop the same units of the same samples, a second
evaluation in the step replays them, and a restart needs no generator state. Outside a step they come from torch's own generator.
`named` gives every module its path; `p` may be changed between steps (scheduled rates), and is a 0-d tensor where models that differ in
it are one program (study.ensemble). Keep dim 0 the samples: masks are keyed by row.

Shapes: B batch, C channels, ... any further dims.
"""

from __future__ import annotations

from typing import TypeVar

import torch.nn.functional as F
from torch import Tensor, nn

from danlu import messages
from danlu.errors import BadInput
from danlu.keys import Keyed

Module = TypeVar("Module", bound=nn.Module)


class Dropout(nn.Module):
    """Zero each element with probability p and scale the rest by 1 / (1 - p); the identity in eval mode or at p = 0.

    Source: Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting".
    Scope: 2.8
    """

    def __init__(self, p: float = 0.5):
        super().__init__()
        if not 0 <= p < 1:
            raise BadInput(messages.DROPOUT_RATE, rate=p)
        self.p, self.path = p, ""

    def mask_shape(self, x: Tensor) -> tuple[int, ...]:
        """The shape of one sample's mask, which is broadcast over the rest."""
        return tuple(x.shape[1:])

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or (not isinstance(self.p, Tensor) and self.p == 0):
            return x
        shape = self.mask_shape(x)
        uniform = Keyed.draw(self.path, shape, len(x))
        if uniform is None:
            return x * F.dropout(x.new_ones(len(x), *shape), self.p)
        return x * (uniform >= self.p) * (1 / (1 - self.p))

    def extra_repr(self) -> str:
        return f"p={self.p}"


class SpatialDropout(Dropout):
    """Drop whole channels of x [B, C, ...]: neighbouring pixels agree, so single ones carry no noise.

    Source: Tompson et al. 2015, "Efficient object localization using convolutional networks".
    Scope: 2.8
    """

    def mask_shape(self, x: Tensor) -> tuple[int, ...]:
        return (x.shape[1], *(1,) * (x.dim() - 2))


class DropPath(Dropout):
    """Stochastic depth: drop a residual branch x [B, ...] for a whole sample, which then skips the block.

    Source: Huang et al. 2016, "Deep networks with stochastic depth" (kept branches are scaled while training, as in inverted dropout).
    Scope: 2.8
    """

    def mask_shape(self, x: Tensor) -> tuple[int, ...]:
        return (1,) * (x.dim() - 1)


def named(model: Module) -> Module:
    """Tell every dropout in `model` its path there, the name its masks are drawn by; returns the model.

    Called once, when a model is built: wrapping it later (compile, shard, a teacher's copy) must not change the masks.
    """
    for path, module in model.named_modules():
        if isinstance(module, Dropout):
            module.path = path
    return model


def depth_rates(rate: float, depth: int) -> list[float]:
    """Drop rates of `depth` blocks: 0 for the first, rising linearly to `rate` for the last (Huang et al. 2016, section 3)."""
    return [rate * block / (depth - 1) for block in range(depth)] if depth > 1 else [rate] * depth
