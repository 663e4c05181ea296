"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner (Vyas et al. 2025, "SOAP: improving and stabilizing Shampoo using Adam")."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import torch
from torch import Tensor

from danlu.fields import NonNegative, Positive, PositiveInt, Rate
from danlu.optim.foreach import Foreach, Touched, zeros
from danlu.optim.groups import Grouped


@dataclass(frozen=True)
class SOAP(Grouped):
    """SOAP: Adam, run in the slowly turning eigenbasis of each matrix's gradient covariances (Vyas et al. 2025).

    A kernel of a convolution is a matrix with a row for each output channel. Biases and norms get plain Adam. The first step only measures.

    lr: learning rate ｜ 学习率
    beta1: decay of the running mean of the gradient ｜ 一阶矩（梯度滑动平均）的衰减系数
    beta2: decay of the running mean of its square, in the eigenbasis ｜ 特征基中二阶矩的衰减系数
    basis_beta: decay of the covariances ｜ 协方差的衰减系数
    eps: added to the root of the second moment ｜ 加在二阶矩平方根上的小量
    every: steps between two turns of the basis ｜ 两次转动基之间的步数
    max_side: a side longer than this keeps its own basis ｜ 某一侧的长度超过此值，就保留原来的基
    sides: both, or only the shorter one of each matrix, at a third of the cost for a little of what is won (section 7.1 of the paper)
        ｜ both 对矩阵两侧，shorter 只对较短的一侧：代价降到三分之一，只少一点收益（论文 7.1 节）
    bfloat16: auto turns updates back in bfloat16 where the processor multiplies it faster; off keeps to float32
        ｜ auto 在处理器算 bfloat16 更快时，用它把更新转回原来的基；off 一直用 float32
    weight_decay: how much matrices shrink a step, as a multiple of the rate (decoupled)
        ｜ 权重衰减：每步把矩阵缩小“学习率 × 该系数”（解耦式）

    Formula: W ← W − lr · Q_L · Adam(Q_Lᵀ G Q_R) · Q_Rᵀ, the bases Q turned every `every` steps
    When it helps: as Shampoo, with Adam's robustness: often the fewest steps of all on matrices.
    What it costs: a covariance and its basis for each side of a matrix beside Adam's two numbers, and a QR decomposition of each side every
    `every` steps.
    When not to use it: very wide layers, and when a step must be cheap beside the model.
    Failure signals: the loss jumps at turns of the basis: `every` is too large for gradients that change fast; nothing moves in the first
    step, which only measures.
    Interactions: does what `kfac` and `shampoo` do, so take one of them; rates of `adamw` fit; its decay is decoupled, so `weight_decay`
    would be a second one.

    Scope: 3.5

    中文: SOAP：在 Shampoo 预条件矩阵的特征基中运行 Adam。

    原理: 在 Shampoo 协方差缓慢转动的特征基里运行 Adam。
    公式: W ← W − lr · Q_L · Adam(Q_Lᵀ G Q_R) · Q_Rᵀ，基 Q 每 `every` 步转动一次
    何时有用: 同 Shampoo，又有 Adam 的稳健：在矩阵上往往步数最少。
    代价: Adam 的两个状态数，另为矩阵的每一侧存协方差与基；每 `every` 步对每一侧做一次 QR 分解。
    何时不用: 很宽的层，以及每步的时间必须远小于模型本身的时候。
    失效信号: 转动基时损失跳变：梯度变化快而 `every` 太大；第一步不动，它只做测量。
    相互作用: 与 `kfac`、`shampoo` 做同一件事，三者取一；适合 `adamw` 的学习率；衰减是解耦的，再加 `weight_decay` 就是两份。
    """

    lr: Positive = 3e-3
    beta1: Rate = 0.95
    beta2: Rate = 0.95
    basis_beta: Rate = 0.95
    eps: Positive = 1e-8
    every: PositiveInt = 10
    max_side: PositiveInt = 10000
    sides: Literal["both", "shorter"] = "both"
    bfloat16: Literal["auto", "off"] = "auto"
    weight_decay: NonNegative = 0.01

    def __call__(self, params: Iterable[Any]) -> SOAPOptimizer:
        return SOAPOptimizer(
            params, lr=self.lr, betas=(self.beta1, self.beta2), basis_beta=self.basis_beta, eps=self.eps, every=self.every,
            max_side=self.max_side, sides=self.sides, bfloat16=self.bfloat16, weight_decay=self.weight_decay,
        )  # fmt: skip


class SOAPOptimizer(Foreach):
    """Algorithm 3 of Vyas et al. 2025, with one power iteration and a QR decomposition at each turn, in at least float32.

    State: `exp_avg` and `exp_avg_sq`, both in the eigenbasis, like the parameter; for each side of a matrix that is turned a covariance
    [side, side] and its basis [side, side], `left`, `left_basis`, `right`, `right_basis`.
    """

    reach = "tensor"

    def fresh(self, p: Tensor, grad: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        state = {"exp_avg": zeros(p), "exp_avg_sq": zeros(p)}
        if p.ndim < 2:
            return state
        matrix = as_matrix(grad)
        longest = min(group["max_side"], *matrix.shape) if group["sides"] == "shorter" else group["max_side"]
        for side, size in zip(("left", "right"), matrix.shape):
            if size <= longest and not (group["sides"] == "shorter" and "left" in state):
                state[side] = (1 - group["basis_beta"]) * covariance(matrix, side)
                state[f"{side}_basis"] = eigenbasis(state[side])
        return state

    def move(self, touched: Touched) -> None:
        group = touched.group
        for p, grad, state in zip(touched.params, touched.grads, touched.states):
            steps = state["step"] - 1
            if steps == 0:
                continue  # the basis was made from this very gradient: in it Adam would blow rounding up to whole steps
            (beta1, beta2), eps = group["betas"], group["eps"]
            seen = turned(grad, state)
            state["exp_avg"].lerp_(seen, 1 - beta1)
            state["exp_avg_sq"].lerp_(seen.square_(), 1 - beta2)
            scale = state["exp_avg_sq"].sqrt().add_(eps)
            low = group["bfloat16"] == "auto" and p.dtype == torch.float32 and multiplies_bfloat16(p.device)
            update = turned(torch.div(state["exp_avg"], scale, out=scale), state, back=True, low=low)
            correction = (1 - beta2**steps) ** 0.5 / (1 - beta1**steps)
            p.add_(update, alpha=-group["lr"] * correction)
            if group["weight_decay"]:
                p.mul_(1 - group["lr"] * group["weight_decay"])
            if p.ndim >= 2:
                turn(as_matrix(grad), state, group["basis_beta"], steps % group["every"] == 0)


@cache
def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether a product of bfloat16 matrices is faster on this device than one of float32."""
    if device.type == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def as_matrix(x: Tensor) -> Tensor:
    """x [rows, ...] as [rows, columns], in at least float32."""
    x = x.reshape(len(x), -1)
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def covariance(grad: Tensor, side: str) -> Tensor:
    return grad @ grad.T if side == "left" else grad.T @ grad


def gather(total: Tensor, x: Tensor, keep: float, share: float) -> None:
    """total [n, n] becomes keep * total + share * x x^T, for x [n, m]; what lies above the diagonal is copied, which spares a fifth."""
    rows = max(64, -(-len(x) // 3))
    for start in range(0, len(x), rows):
        end = start + rows
        total[start:end, :end].addmm_(x[start:end], x[:end].T, beta=keep, alpha=share)
        total[:start, start:end] = total[start:end, :start].T


def ridge(matrix: Tensor) -> Tensor:
    """A millionth of the mean eigenvalue. Without it, rounding alone would choose the basis of what no gradient has reached yet: the same
    training, split otherwise, would end elsewhere (6e-3 apart after six steps of a small net in float64)."""
    return matrix.diagonal().mean() * 1e-6


def eigenbasis(matrix: Tensor) -> Tensor:
    """The eigenvectors of a symmetric matrix as columns, by falling eigenvalue; a slope on the diagonal tells equal ones apart."""
    slope = torch.linspace(1, 0, len(matrix), dtype=matrix.dtype, device=matrix.device)
    return torch.linalg.eigh(matrix + torch.diag(slope * ridge(matrix)))[1].flip(1).contiguous()  # as it will be after loading


def turned(x: Tensor, state: dict[str, Tensor], back: bool = False, low: bool = False) -> Tensor:
    """A new tensor: x in the eigenbasis, or from it `back` in its own space; the same numbers for what has no basis.

    low: by products of bfloat16. That is for updates on their way back: there all numbers are about as large, and an error is a small part
    of each. On its way there a gradient has numbers that are thousands of times smaller than others, which rounding would drown.
    """
    if "left_basis" not in state and "right_basis" not in state:
        return x.clone()
    matrix = as_matrix(x)
    matrix = matrix.bfloat16() if low else matrix
    if "left_basis" in state:
        left = state["left_basis"].to(matrix.dtype)
        matrix = (left if back else left.T) @ matrix
    if "right_basis" in state:
        right = state["right_basis"].to(matrix.dtype)
        matrix = matrix @ (right.T if back else right)
    return matrix.to(x.dtype).view(x.shape)


def turn(grad: Tensor, state: dict[str, Tensor], beta: float, due: bool) -> None:
    """Take a gradient into the covariances; if a turn is due, follow their eigenvectors, and take the moments along."""
    second = as_matrix(state["exp_avg_sq"])
    mean = turned(state["exp_avg"], state, back=True) if due else None
    for dim, side in enumerate(("left", "right")):
        if side not in state:
            continue
        gather(state[side], grad if side == "left" else grad.T, beta, 1 - beta)
        if due:
            basis = state[f"{side}_basis"]
            power = state[side] @ basis + ridge(state[side]) * basis
            order = (basis * power).sum(0).argsort(descending=True)
            second = second.index_select(dim, order)
            state[f"{side}_basis"] = torch.linalg.qr(power.index_select(1, order))[0].contiguous()
    if mean is not None:
        state["exp_avg"].copy_(turned(mean, state))
        state["exp_avg_sq"].copy_(second.view(state["exp_avg_sq"].shape))
