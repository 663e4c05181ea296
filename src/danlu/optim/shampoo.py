"""Shampoo: a matrix's gradient between the inverse roots of its two covariances (Gupta, Koren & Singer 2018)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from danlu.fields import Fraction, NonNegative, Positive, PositiveInt, Rate
from danlu.optim.foreach import Foreach, Touched, zeros
from danlu.optim.groups import Grouped
from danlu.optim.soap import as_matrix, gather


@dataclass(frozen=True)
class Shampoo(Grouped):
    """Shampoo: a matrix G moves along L^(-1/4) G R^(-1/4), where L, R gather G G^T, G^T G (Gupta, Koren & Singer 2018).

    Its step is as long as RMSprop's (grafting: Anil et al. 2021, "Scalable second order optimization for deep learning"). A kernel
    of a convolution is a matrix with a row for each output channel; a vector g moves along (sum of g g^T)^(-1/2) g.

    lr: learning rate; that of Adam suits graft=rmsprop, that of Adagrad suits none
        ｜ 学习率；graft=rmsprop 时可用 Adam 的，none 时可用 Adagrad 的
    momentum: decay of the running mean of the directions ｜ 动量：更新方向滑动平均的衰减系数
    beta2: decay of the running covariances; 1 sums them, as in the paper of 2018
        ｜ 协方差滑动平均的衰减系数；1 为直接累加，同 2018 年的论文
    eps: where the covariances start, as a multiple of the identity ｜ 协方差的初值，为单位阵的几倍
    every: steps between two computations of the roots ｜ 两次重算逆根之间的步数
    graft: rmsprop gives each tensor's step the length of RMSprop's; none leaves Shampoo's own
        ｜ 嫁接：rmsprop 使每个张量的步长等于 RMSprop 的；none 用 Shampoo 自己的
    max_side: a side longer than this is left as it is ｜ 某一侧的长度超过此值，就不对它做预条件
    weight_decay: how much matrices shrink a step, as a multiple of the rate (decoupled)
        ｜ 权重衰减：每步把矩阵缩小“学习率 × 该系数”（解耦式）

    Formula: W ← W − lr · L^(−1/4) G R^(−1/4), L = E[G Gᵀ], R = E[Gᵀ G]; the length is RMSprop's
    When it helps: nets with badly scaled, correlated directions, trained for many steps at one shape.
    What it costs: a covariance and its root for each side of a matrix beside two numbers for each parameter, and an eigendecomposition of
    each side every `every` steps.
    When not to use it: very wide layers (a side longer than max_side is left alone), and when a step must be cheap.
    Failure signals: the loss jumps when roots are computed anew: `every` is too large or eps too small; the time of a step grows with the
    cube of the width.
    Interactions: does what `kfac` does, so take one; grafting gives it RMSprop's step length, so rates of `adam` fit; `clip` before it
    changes the covariances.

    Scope: 3.5

    中文: Shampoo：用梯度行、列协方差的逆根从两侧预条件矩阵的梯度。

    原理: 用梯度行、列协方差的逆四次根从两侧预条件矩阵的梯度，步长取 RMSprop 的长度。
    公式: W ← W − lr · L^(−1/4) G R^(−1/4)，L = E[G Gᵀ]，R = E[Gᵀ G]；长度取 RMSprop 的
    何时有用: 方向尺度悬殊又彼此相关、步数多而形状固定的网络。
    代价: 每个参数两个状态数，另为矩阵的每一侧存协方差与逆根；每 `every` 步对每一侧做一次特征分解。
    何时不用: 很宽的层（超过 max_side 的一侧不处理），以及每步必须便宜的时候。
    失效信号: 重算逆根时损失跳变：`every` 太大或 eps 太小；一步的时间随宽度的立方增长。
    相互作用: 与 `kfac` 做同一件事，两者取一；嫁接使步长与 RMSprop 相同，适合 `adam` 的学习率；先做的 `clip` 会改变协方差。
    """

    lr: Positive = 3e-3
    momentum: Rate = 0.9
    beta2: Fraction = 0.95
    eps: Positive = 1e-12
    every: PositiveInt = 10
    graft: Literal["rmsprop", "none"] = "rmsprop"
    max_side: PositiveInt = 10000
    weight_decay: NonNegative = 0.01

    def __call__(self, params: Iterable[Any]) -> ShampooOptimizer:
        return ShampooOptimizer(
            params, lr=self.lr, momentum=self.momentum, beta2=self.beta2, eps=self.eps, every=self.every, graft=self.graft,
            max_side=self.max_side, weight_decay=self.weight_decay,
        )  # fmt: skip


class ShampooOptimizer(Foreach):
    """Algorithm 1 of Gupta et al. 2018 for matrices and its order-1 case for vectors; roots by eigendecomposition, in at least float32.

    State: `momentum`, like the parameter; `squares`, like it, if grafted; for each side that is not too long a covariance and its inverse
    root [side, side], `left`, `left_root`, `right`, `right_root`. The roots are computed at the first step and at every `every` after.
    """

    reach = "tensor"

    def fresh(self, p: Tensor, grad: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        state = {"momentum": zeros(p)} | ({"squares": zeros(p)} if group["graft"] == "rmsprop" else {})
        matrix = as_matrix(grad) if p.ndim else grad.view(1, 1)
        for side, size in zip(("left", "right"), matrix.shape):
            if size <= group["max_side"] and not (side == "right" and p.ndim < 2):
                state[side] = group["eps"] * torch.eye(size, dtype=matrix.dtype, device=grad.device)
                state[f"{side}_root"] = torch.eye(size, dtype=matrix.dtype, device=grad.device)
        return state

    def move(self, touched: Touched) -> None:
        group, lr, beta2 = touched.group, touched.group["lr"], touched.group["beta2"]
        for p, grad, state in zip(touched.params, touched.grads, touched.states):
            matrix = as_matrix(grad) if p.ndim else grad.view(1, 1)
            update, order = matrix, min(max(p.ndim, 1), 2)
            for side in ("left", "right"):
                if side in state:
                    gather(state[side], matrix if side == "left" else matrix.T, beta2, 1 - beta2 if beta2 < 1 else 1.0)
                    if (state["step"] - 1) % group["every"] == 0:
                        state[f"{side}_root"] = inverse_root(state[side], 2 * order)
                    update = state[f"{side}_root"] @ update if side == "left" else update @ state[f"{side}_root"]
            if "squares" in state:
                state["squares"].mul_(beta2).addcmul_(grad, grad, value=1 - beta2 if beta2 < 1 else 1)
                correction = 1 - beta2 ** state["step"] if beta2 < 1 else 1.0
                length = (grad / (state["squares"] / correction).sqrt_().add_(1e-8)).norm()
                own = update.norm()
                update = update * torch.where(own > 0, length / own, torch.zeros_like(own))
            state["momentum"].lerp_(update.to(p.dtype).view(p.shape), 1 - group["momentum"])
            if group["weight_decay"]:
                p.mul_(1 - lr * group["weight_decay"])
            p.add_(state["momentum"], alpha=-lr / (1 - group["momentum"] ** state["step"]))


def inverse_root(matrix: Tensor, order: int) -> Tensor:
    """matrix^(-1 / order) of a symmetric, positive semi-definite matrix [n, n].

    An eigenvalue below a millionth of the largest is taken to be that large (Anil et al. 2021): a covariance of few gradients knows no more
    of such a direction than rounding left there.
    """
    values, vectors = torch.linalg.eigh(matrix)
    least = values[-1].clamp(min=torch.finfo(values.dtype).tiny * 1e6) * 1e-6
    return (vectors * values.clamp(min=least) ** (-1 / order)) @ vectors.T
