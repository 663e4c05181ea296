"""Adaptive sharpness-aware minimisation: the worst point nearby, where near is measured by the size of each weight (Kwon et al. 2021,
"ASAM: adaptive sharpness-aware minimization for scale-invariant learning of deep neural networks").

When it helps: where SAM does, and more where layers have weights of different sizes: it is the same however a net shares its scales out.
What it costs: two gradients a step, so nearly twice the time, and one copy of the weights.
When not to use it: when the budget is time and the model underfits.
Scope: 3.1
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from danlu.core import Gradient, Run, Technique
from danlu.fields import NonNegative
from danlu.techniques.gradient.sam import sharpened


@dataclass
class ASAM(Technique):
    """Use the gradient found uphill by rho T^2 g / |T g|, where T is the magnitude of each weight (1 for biases).

    rho: distance climbed, relative to the weights; ten times SAM's or more
    eta: added to each magnitude
    中文: 自适应锐度感知最小化：上坡的距离按各权重的大小衡量。
    """

    rho: NonNegative = 0.5
    eta: NonNegative = 0.01

    neutral: ClassVar = {"rho": 0.0}
    needs: ClassVar = frozenset({"finished gradient"})
    changes: ClassVar = "gradients"

    def wrap_gradient(self, gradient: Gradient, run: Run) -> Gradient:
        biases = {p.data_ptr() for name, p in run.model.named_parameters() if name.rpartition(".")[2] == "bias"}

        def uphill(weights: list[Tensor], grads: list[Tensor]) -> list[Tensor]:
            sizes = [torch.ones_like(w) if w.data_ptr() in biases else w.abs() + self.eta for w in weights]
            scaled = torch._foreach_mul(grads, sizes)
            norm = run.placement.norm(scaled)
            torch._foreach_mul_(scaled, sizes)
            torch._foreach_mul_(scaled, torch.where(norm > 0, self.rho / norm, torch.zeros_like(norm)))
            return list(scaled)

        return gradient if self.rho == 0.0 else sharpened(gradient, run, uphill)
