"""Gaussian noise in the gradient that fades (Neelakantan et al. 2015, "Adding gradient noise improves learning for very deep networks").

When it helps: very deep or poorly initialised nets that stop in bad places early on; small data.
What it costs: one random number for each parameter a step.
When not to use it: with small batches, whose gradients are noisy enough.
Scope: 3.1
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from danlu.core import Batch, Gradient, Objective, Outcome, Run, Technique
from danlu.fields import NonNegative
from danlu.keys import mix


@dataclass
class Noise(Technique):
    """Add noise of variance eta / (1 + step)^gamma to every number of the gradient.

    eta: variance at the first step; the paper tries 0.01, 0.3 and 1
    gamma: how fast it fades
    中文: 给梯度加方差逐步减小的高斯噪声。
    """

    eta: NonNegative = 0.01
    gamma: NonNegative = 0.55

    neutral: ClassVar = {"eta": 0.0}
    needs: ClassVar = frozenset({"finished gradient", "whole matrix"})  # every process draws the same noise
    changes: ClassVar = "gradients"

    def wrap_gradient(self, gradient: Gradient, run: Run) -> Gradient:
        if self.eta == 0.0:
            return gradient
        parameters = run.trainable()
        draw = torch.Generator(run.placement.device)

        def noisy(objective: Objective, batches: Sequence[Batch]) -> Outcome:
            outcome = gradient(objective, batches)
            step = batches[0].step
            draw.manual_seed(mix(run.seed, "gradient noise", step))  # so that a second look in a step sees the same noise
            std = (self.eta / (1 + step) ** self.gamma) ** 0.5
            for p in parameters:
                noise = torch.randn(
                    p.shape, generator=draw, device=p.device, dtype=p.dtype
                )  # also without a gradient: draws keep their place
                if p.grad is not None:
                    p.grad.add_(noise, alpha=std)
            return outcome

        return noisy
