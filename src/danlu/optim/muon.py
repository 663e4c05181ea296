"""Muon: the momentum of a hidden matrix, made orthogonal, is its update (Jordan et al. 2024); everything else goes to AdamW."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from torch import nn

from danlu import messages
from danlu.errors import BadInput
from danlu.fields import NonNegative, Positive, Range, Rate
from danlu.optim.fused import Fused, built
from danlu.optim.groups import Grouped, check_ranges, groups, hidden, refuse_sparse
from danlu.optim.parted import Parted


@dataclass(frozen=True)
class Muon(Grouped):
    """Muon: orthogonal updates for the matrices of hidden layers, AdamW for all the rest (Jordan et al. 2024).

    The rest are embeddings, the output layer, convolutions, norms and biases. "Muon: an optimizer for hidden layers in neural networks";
    the scale of updates after Liu et al. 2025, "Muon is scalable for LLM training".

    lr: learning rate of the hidden matrices ｜ 隐藏层矩阵的学习率
    momentum: how much of the running mean of the gradient is kept ｜ 动量：梯度滑动平均保留多少
    nesterov: look ahead along the momentum ｜ Nesterov：沿动量方向向前看一步
    iterations: Newton-Schulz iterations that make the update orthogonal, in bfloat16
        ｜ 使更新正交化的 Newton-Schulz 迭代次数（以 bfloat16 计算）
    scale: adamw makes updates as large as AdamW's, so that its rates and decays can be kept; original is sqrt(max(1, rows / columns))
        ｜ adamw 使更新与 AdamW 一样大，其学习率与权重衰减可以照用；original 为 sqrt(max(1, 行数 / 列数))
    weight_decay: how much matrices shrink a step, as a multiple of their rate (decoupled)
        ｜ 权重衰减：每步把矩阵缩小“其学习率 × 该系数”（解耦式）
    adamw_lr: learning rate of the rest (null: lr, which suits scale=adamw) ｜ 其余参数的学习率（null：取 lr，适合 scale=adamw）
    beta1: of the rest: decay of the running mean of the gradient ｜ 其余参数：一阶矩的衰减系数
    beta2: of the rest: decay of the running mean of its square ｜ 其余参数：二阶矩的衰减系数
    eps: of the rest: added to the root of the second moment ｜ 其余参数：加在二阶矩平方根上的小量
    fused: of the rest: fused kernels; auto takes them where torch has right ones, off takes foreach
        ｜ 其余参数：融合内核；auto 在 torch 有正确的融合内核时使用，off 用 foreach

    Formula: M ← momentum · M + G;  W ← (1 − lr · decay) · W − lr · s · NS₅(M), with NS₅(M) ≈ U Vᵀ of M's singular decomposition; AdamW for
    the rest
    When it helps: hidden matrices of transformers and perceptrons: all directions of an update get the same length; often fewer steps than
    AdamW.
    What it costs: a momentum for the matrices, AdamW's two numbers for the rest, and some fifteen products for each matrix a step.
    When not to use it: nets without hidden matrices (it refuses), small convolutions, and small batches of very thin matrices.
    Failure signals: the loss levels off at a height that depends on the rate, as with every optimiser of fixed step length; embeddings that
    lag behind: adamw_lr is too low.
    Interactions: singular values are made equal, so `clip` changes nothing for the matrices but their momentum's mixture; wants a decaying
    schedule; its own decay makes `weight_decay` a second one.

    Scope: 3.1

    中文: Muon：把隐藏层矩阵的动量正交化后作为更新，其余参数用 AdamW。

    原理: 把隐藏层矩阵的动量近似正交化（奇异值全变为一）再作为更新，其余参数用 AdamW。
    公式: M ← momentum · M + G；W ← (1 − lr · decay) · W − lr · s · NS₅(M)，NS₅(M) ≈ M 的奇异值分解中的 U Vᵀ；其余参数用 AdamW
    何时有用: Transformer 与感知机的隐藏层矩阵：更新的各个方向一样长，常比 AdamW 少走几步。
    代价: 矩阵一份动量，其余参数为 AdamW 的两个状态数；每步对每个矩阵做十几次矩阵乘法。
    何时不用: 没有隐藏层矩阵的网络（会拒绝）、小卷积核，以及很细长的矩阵配小批次。
    失效信号: 损失停在与学习率有关的高度，凡步长固定的优化器都如此；嵌入落后：adamw_lr 太低。
    相互作用: 奇异值被拉平，`clip` 对矩阵只改变动量的混合；应配下降的调度；自带衰减，再加 `weight_decay` 就是两份。
    """

    lr: Positive = 1e-3
    momentum: Rate = 0.95
    nesterov: bool = True
    iterations: Annotated[int, Range(1, 99)] = 5  # torch takes no more
    scale: Literal["adamw", "original"] = "adamw"
    weight_decay: NonNegative = 0.1
    adamw_lr: Positive | None = None
    beta1: Rate = 0.9
    beta2: Rate = 0.95
    eps: NonNegative = 1e-8
    fused: Fused = "auto"

    def groups(self, model: nn.Module) -> list[dict[str, Any]]:
        """The groups of `Grouped`, each parted into "muon/..." and "adamw/..."; raises BadInput if there is no hidden matrix."""
        check_ranges(self)
        refuse_sparse(model, "muon")
        inner = hidden(model)
        if not inner:
            raise BadInput(messages.NO_HIDDEN_MATRIX, optimizer="muon")
        made = []
        for kind, lr in (("muon", self.lr), ("adamw", self.adamw_lr or self.lr)):
            for group in groups(model, self.weight_decay, self.decay_norms, self.layer_decay, lr):
                if params := [(name, p) for name, p in group["params"] if (p in inner) == (kind == "muon")]:
                    made.append({"lr": lr, **group, "name": f"{kind}/{group['name']}", "params": params})
        return made

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        """params: what `groups` made; of bare (name, parameter) pairs, the matrices are taken as hidden."""
        entries = list(params)
        if not all(isinstance(entry, dict) for entry in entries):
            matrices = [(name, p) for name, p in entries if p.ndim == 2]
            rest = [(name, p) for name, p in entries if p.ndim != 2]
            named = [("muon", matrices, self.lr), ("adamw", rest, self.adamw_lr or self.lr)]
            entries = [{"name": name, "params": params, "lr": lr} for name, params, lr in named if params]
        parts: list[torch.optim.Optimizer] = []
        if own := [dict(group) for group in entries if group["name"].startswith("muon")]:
            scale = "match_rms_adamw" if self.scale == "adamw" else "original"
            parts.append(torch.optim.Muon(
                own, self.lr, self.weight_decay, self.momentum, self.nesterov, ns_steps=self.iterations, adjust_lr_fn=scale
            ))  # fmt: skip
        if rest := [group for group in entries if group["name"].startswith("adamw")]:
            betas = (self.beta1, self.beta2)
            parts.append(built(torch.optim.AdamW, rest, self.fused, lr=self.lr, betas=betas, eps=self.eps, weight_decay=self.weight_decay))
        return Parted(parts)
