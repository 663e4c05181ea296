"""Take the mean out of each unit's gradient (Yong et al. 2020, "Gradient centralization: a new optimization technique for deep networks").

Formula: g_i ← g_i − mean(g_i) for each row or output channel i
When it helps: convolutional nets, a little faster and smoother training; it keeps the mean of each unit's weights where it started.
What it costs: one mean and one subtraction for each weight a step.
When not to use it: for embeddings and for layers whose inputs have a mean that they must learn to use without a norm in front.
Failure signals: a layer that must learn a common shift of its weights stops improving; the training loss levels off above that without it.
Interactions: listed before a preconditioner (`kfac`) it centres what that gives, after it what it gets; weight decay moves the mean that it
holds still.

原理: 从每个单元的梯度中减去其均值，于是该单元权重的均值保持在初始值。
公式: 对每一行或每个输出通道 i：g_i ← g_i − mean(g_i)
何时有用: 卷积网络：训练稍快，也更平稳。
代价: 每步为每个权重算一次均值、做一次减法。
何时不用: 嵌入层，以及前面没有归一化、必须学会利用输入均值的层。
失效信号: 需要整体平移权重的层不再进步；训练损失停在高于不用时的水平。
相互作用: 列在预条件技巧（`kfac`）之前时中心化其结果，之后则中心化其输入；权重衰减会移动它所固定的均值。

Scope: 3.1
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from danlu.core import Batch, Gradient, Objective, Outcome, Run, Technique
from danlu.optim.groups import EMBEDDINGS, owned


@dataclass
class Centralize(Technique):
    """Subtract from the gradient of each row of a matrix, or output channel of a kernel, its mean; embeddings are left as they are.

    kernels_only: leave the matrices of linear layers as they are, too ｜ 线性层的矩阵也不处理，只处理卷积核
    中文: 梯度中心化：把每个单元的梯度减去其均值。
    """

    kernels_only: bool = False

    neutral: ClassVar = "it has no strength to turn down: either the mean is taken out or it is not"
    needs: ClassVar = frozenset({"finished gradient"})
    changes: ClassVar = "gradients"

    def wrap_gradient(self, gradient: Gradient, run: Run) -> Gradient:
        embeddings = owned(run.model, EMBEDDINGS)
        parameters = [p for p in run.trainable() if p.ndim > (2 if self.kernels_only else 1) and p not in embeddings]

        def centred(objective: Objective, batches: Sequence[Batch]) -> Outcome:
            outcome = gradient(objective, batches)
            for p in parameters:
                if p.grad is not None:
                    p.grad.sub_(p.grad.mean(dim=tuple(range(1, p.ndim)), keepdim=True))
            return outcome

        return centred
