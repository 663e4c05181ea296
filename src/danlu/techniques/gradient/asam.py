"""Adaptive sharpness-aware minimisation: the worst point nearby, where near is measured by the size of each weight (Kwon et al. 2021,
"ASAM: adaptive sharpness-aware minimization for scale-invariant learning of deep neural networks").

Formula: g ← ∇L(w + rho · T² g / |T g|), with T = |w| + eta, and 1 for biases
When it helps: where SAM does, and more where layers have weights of different sizes: it is the same however a net shares its scales out.
What it costs: two gradients a step, so nearly twice the time, and one copy of the weights.
When not to use it: when the budget is time and the model underfits.
Failure signals: training loss stays clearly above that without it and validation gains nothing: rho is too large; at a tenth of it the
effect is gone.
Interactions: with `sam` each of its two gradients costs two; `clip` listed before it bounds the gradient that moves the weights, after it
also the one that climbs.

原理: 先朝附近最坏的点走一步，距离按各权重的大小衡量，再用那里的梯度更新；因此与各层如何分配尺度无关。
公式: g ← ∇L(w + rho · T² g / |T g|)，其中 T = |w| + eta，偏置取 1
何时有用: 适合 SAM 的地方都适合；各层权重大小悬殊时优势更明显。
代价: 每步算两次梯度，时间接近两倍；外加一份权重副本。
何时不用: 时间是瓶颈、模型又欠拟合的时候。
失效信号: 训练损失明显高于不用时，验证集却没有改善：rho 太大；减到十分之一，作用又消失了。
相互作用: 与 `sam` 同用时，两次梯度各自再算两次；`clip` 列在它前面只裁剪更新用的梯度，列在后面则连上坡的梯度一起裁剪。

Scope: 3.1
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from danlu.core import Gradient, Run, Technique
from danlu.fields import NonNegative
from danlu.techniques.gradient.sam import sharpened


@dataclass
class ASAM(Technique):
    """Use the gradient found uphill by rho T^2 g / |T g|, where T is the magnitude of each weight (1 for biases).

    rho: distance climbed, relative to the weights; ten times SAM's or more ｜ 上坡的距离，相对于权重大小；取 SAM 的十倍或更大
    eta: added to each magnitude ｜ 加在每个权重绝对值上的量
    中文: 自适应锐度感知最小化：上坡的距离按各权重的大小衡量。
    """

    rho: NonNegative = 0.5
    eta: NonNegative = 0.01

    neutral: ClassVar = {"rho": 0.0}
    needs: ClassVar = frozenset({"finished gradient"})
    changes: ClassVar = "gradients"

    def wrap_gradient(self, gradient: Gradient, run: Run) -> Gradient:
        biases = {p for name, p in run.model.named_parameters() if name.rpartition(".")[2] == "bias"}

        def uphill(weights: list[nn.Parameter], grads: list[Tensor]) -> list[Tensor]:
            sizes = [torch.ones_like(w) if w in biases else w.abs() + self.eta for w in weights]
            whole = [grad * size for grad, size in zip(grads, sizes)]
            norm = run.placement.norm(whole)
            scaled, sizes = run.placement.local(whole), run.placement.local(sizes)
            torch._foreach_mul_(scaled, sizes)
            torch._foreach_mul_(scaled, torch.where(norm > 0, self.rho / norm, torch.zeros_like(norm)))
            return scaled

        return gradient if self.rho == 0.0 else sharpened(gradient, run, uphill)
