"""Optimisers with a rate for each number, as torch has them, as descriptions: Adagrad, RMSprop, Adadelta, Adafactor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import torch

from danlu.fields import NonNegative, Positive, Range, Rate
from danlu.optim.fused import Fused, built
from danlu.optim.groups import Grouped


@dataclass(frozen=True)
class Adagrad(Grouped):
    """Adagrad: steps over the root of the sum of all squared gradients, so that rare features keep large rates (Duchi et al. 2011).

    lr: learning rate ｜ 学习率
    lr_decay: step n has the rate lr / (1 + n lr_decay) ｜ 第 n 步的学习率为 lr / (1 + n lr_decay)
    initial: where the sum of squares starts ｜ 平方和的初值
    eps: added to the root of the sum ｜ 加在平方和的平方根上的小量
    weight_decay: L2 penalty, added to the gradient of matrices (coupled) ｜ 权重衰减：加在矩阵梯度上的 L2 项（耦合式）
    fused: fused kernels; auto takes them where torch has right ones for the device and dtype, off takes foreach
        ｜ 融合内核；auto 在 torch 对该设备与数据类型有正确的融合内核时使用，off 用 foreach

    Formula: s ← s + g²;  w ← w − lr · g / (√s + eps)
    When it helps: sparse features and embeddings: what is seldom touched keeps a large rate; convex problems.
    What it costs: one number of state for each parameter; it takes sparse gradients.
    When not to use it: long trainings of deep nets: the sum only grows, so steps die out.
    Failure signals: progress fades to nothing while the loss is still high: the sum has eaten the rate.
    Interactions: has a decay of its own, so a decaying schedule comes on top; scale-free, so `clip` matters only for what enters the sum.

    Scope: 3.5

    中文: Adagrad：按历史梯度平方和的平方根缩小步长，稀疏特征保留较大的学习率。

    原理: 步长除以历史梯度平方和的平方根：常动的参数越走越慢，少动的保留大步长。
    何时有用: 稀疏特征与嵌入：很少更新的参数保留大学习率；凸问题。
    代价: 每个参数一个状态数；支持稀疏梯度。
    何时不用: 深层网络的长时间训练：平方和只增不减，步长会耗尽。
    失效信号: 损失还很高，进展却逐渐归零：平方和把学习率吃光了。
    相互作用: 自带衰减，再配下降的调度就是两重；与尺度无关，`clip` 只影响进入平方和的部分。
    """

    width_rule: ClassVar = "adam"

    lr: Positive = 1e-2
    lr_decay: NonNegative = 0.0
    initial: NonNegative = 0.0
    eps: Positive = 1e-10
    weight_decay: NonNegative = 0.0
    fused: Fused = "auto"

    def takes_sparse(self) -> bool:
        return True

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        return built(
            torch.optim.Adagrad, params, self.fused, lr=self.lr, lr_decay=self.lr_decay, initial_accumulator_value=self.initial,
            eps=self.eps, weight_decay=self.weight_decay,
        )  # fmt: skip


@dataclass(frozen=True)
class RMSprop(Grouped):
    """RMSprop: steps over the root of a running mean of squared gradients (Tieleman & Hinton 2012; centred: Graves 2013).

    lr: learning rate ｜ 学习率
    decay: decay of the running mean of squares ｜ 梯度平方滑动平均的衰减系数
    eps: added to the root of the mean ｜ 加在均值平方根上的小量
    momentum: how much of the last update is kept ｜ 动量：上一步的更新保留多少
    centered: divide by the deviation around the running mean of the gradient instead ｜ 中心化：改为除以梯度围绕其滑动平均的标准差
    weight_decay: L2 penalty, added to the gradient of matrices (coupled) ｜ 权重衰减：加在矩阵梯度上的 L2 项（耦合式）

    Formula: s ← decay · s + (1 − decay) · g²;  w ← w − lr · g / (√s + eps)
    When it helps: recurrent nets, reinforcement learning and other targets that drift, where old gradients should be forgotten.
    What it costs: one number of state for each parameter (two with momentum, one more if centred); no fused kernel.
    When not to use it: as a default today: `adamw` is the same with a corrected start and a momentum.
    Failure signals: very large first steps: its mean of squares starts at zero and is not corrected, so the first loss may jump; take a
    warm-up.
    Interactions: wants a warm-up in the schedule; its weight_decay is divided by the scales, so take the technique `weight_decay`.

    Scope: 3.5

    中文: RMSprop：按梯度平方滑动平均的平方根缩放步长。

    原理: 梯度除以其平方滑动均值的根，旧的梯度逐渐被忘掉。
    何时有用: 循环网络、强化学习等目标会漂移、旧梯度应当忘掉的场合。
    代价: 每个参数一个状态数（有动量为两个，中心化再加一个）；没有融合内核。
    何时不用: 今天作默认选择：`adamw` 与它相同，还修正了起步并带动量。
    失效信号: 最初几步非常大：平方均值从零开始且不修正，损失可能一开始就跳；请用预热。
    相互作用: 调度里应有预热；它的 weight_decay 会被尺度除掉，请用技巧 `weight_decay`。
    """

    width_rule: ClassVar = "adam"

    name = "rmsprop"

    lr: Positive = 1e-2
    decay: Rate = 0.99
    eps: Positive = 1e-8
    momentum: Rate = 0.0
    centered: bool = False
    weight_decay: NonNegative = 0.0

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        return built(
            torch.optim.RMSprop, params, "off", lr=self.lr, alpha=self.decay, eps=self.eps, momentum=self.momentum,
            centered=self.centered, weight_decay=self.weight_decay,
        )  # fmt: skip


@dataclass(frozen=True)
class Adadelta(Grouped):
    """Adadelta: steps of the size of the past updates, so that no rate need be chosen (Zeiler 2012).

    lr: what the update is multiplied by; 1 is the paper's ｜ 乘在更新量上的系数；论文取 1
    rho: decay of the running means of squared gradients and of squared updates ｜ 梯度平方与更新量平方两个滑动平均的衰减系数
    eps: added inside both roots; the very first step is its root long ｜ 加在两个根号之内；第一步的长度就是它的平方根
    weight_decay: L2 penalty, added to the gradient of matrices (coupled) ｜ 权重衰减：加在矩阵梯度上的 L2 项（耦合式）

    Formula: Δ ← √(u + eps) / √(s + eps) · g;  w ← w − lr · Δ;  u ← rho · u + (1 − rho) · Δ²
    When it helps: when no rate can be tuned at all and the training is short.
    What it costs: two numbers of state for each parameter; no fused kernel.
    When not to use it: where a rate can be tuned: `adamw` is faster then.
    Failure signals: a long stretch of almost no progress at the start: the first steps are as small as the root of eps.
    Interactions: its step has the units of the weights, so `weight_decay` through the gradient has no fixed strength; a warm-up only
    prolongs its slow start.

    Scope: 3.5

    中文: Adadelta：以过去更新量的大小为步长，无需选择学习率。

    原理: 用过去更新量的大小作为步长，因此不必选学习率。
    何时有用: 完全无法调学习率、训练又短的时候。
    代价: 每个参数两个状态数；没有融合内核。
    何时不用: 学习率可以调的时候：那时 `adamw` 更快。
    失效信号: 开头很长一段几乎没有进展：最初的步长只有 eps 的平方根那么大。
    相互作用: 步长与权重同量纲，经过梯度的 `weight_decay` 强度不定；预热只会延长它缓慢的起步。
    """

    lr: Positive = 1.0
    rho: Rate = 0.9
    eps: Positive = 1e-6
    weight_decay: NonNegative = 0.0

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        return built(torch.optim.Adadelta, params, "off", lr=self.lr, rho=self.rho, eps=self.eps, weight_decay=self.weight_decay)


@dataclass(frozen=True)
class Adafactor(Grouped):
    """Adafactor: a matrix's second moments kept as a row and a column, so next to no state (Shazeer & Stern 2018).

    Steps are relative to the size of the weights; the rate of step n is the smaller of lr and 1 / sqrt(n).

    lr: largest relative step ｜ 相对步长的上限
    beta2_decay: step n forgets n to this power of the second moments ｜ 第 n 步时二阶矩遗忘的份额，为 n 的该次幂
    eps: least root mean square that weights are taken to have, so that zeros can move ｜ 权重均方根的下限，使零权重也能移动
    clip: update whose root mean square is above this is scaled down to it ｜ 更新量的均方根若超过此值，就缩小到此值
    weight_decay: how much matrices shrink a step, as a multiple of the rate (decoupled)
        ｜ 权重衰减：每步把矩阵缩小“学习率 × 该系数”（解耦式）

    Formula: v_ij ≈ r_i · c_j / Σ r;  u = g / √v, scaled to a root mean square of at most clip;  w ← w − min(lr, 1/√n) · max(rms(w), eps) ·
    u
    When it helps: very large matrices whose optimiser state would not fit: a matrix keeps a row and a column.
    What it costs: next to no state: a row and a column for each matrix; no fused kernel.
    When not to use it: small nets, where memory does not matter: its relative steps are harder to tune than `adamw`'s.
    Failure signals: tensors that start near zero hardly move (their step is relative to eps); loss spikes when beta2_decay lets v lag
    behind.
    Interactions: brings its own decay of the rate, 1 over the root of the step: a schedule multiplies it; it clips each update itself, so
    `clip` adds little.

    Scope: 3.5

    中文: Adafactor：矩阵的二阶矩只存行与列，几乎不占显存；步长相对于权重大小。

    原理: 矩阵的二阶矩只存行与列的均值，几乎不占内存；步长相对于权重的大小。
    公式: v_ij ≈ r_i · c_j / Σ r；u = g / √v，均方根限制在 clip 以内；w ← w − min(lr, 1/√n) · max(rms(w), eps) · u
    何时有用: 优化器状态放不下的超大矩阵：一个矩阵只存一行一列。
    代价: 几乎没有状态：每个矩阵只存一行一列；没有融合内核。
    何时不用: 内存不成问题的小网络：相对步长比 `adamw` 难调。
    失效信号: 初始接近零的张量几乎不动（步长按 eps 计）；beta2_decay 使 v 落后时会出现损失尖峰。
    相互作用: 自带学习率衰减（步数平方根的倒数），调度再与之相乘；它自己裁剪更新，`clip` 意义不大。
    """

    lr: Positive = 1e-2
    beta2_decay: Annotated[float, Range(-1, 0, open_low=True)] = -0.8
    eps: Positive = 1e-3
    clip: Annotated[float, Range(1)] = 1.0
    weight_decay: NonNegative = 0.0

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        return built(
            torch.optim.Adafactor, params, "off", lr=self.lr, beta2_decay=self.beta2_decay, eps=(None, self.eps), d=self.clip,
            weight_decay=self.weight_decay,
        )  # fmt: skip
