"""SGD and Adam's family as torch has them, as descriptions: SGD, Adam, AdamW, NAdam, RAdam."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from danlu import messages
from danlu.errors import BadInput
from danlu.fields import Fraction, NonNegative, Positive, Rate
from danlu.optim.fused import Fused, built
from danlu.optim.groups import Grouped


@dataclass(frozen=True)
class SGD(Grouped):
    """Stochastic gradient descent with momentum, Nesterov's if asked for (Robbins & Monro 1951; Sutskever et al. 2013).

    lr: learning rate ｜ 学习率
    momentum: how much of the last update is kept ｜ 动量：上一步的更新保留多少
    nesterov: look ahead along the momentum; needs momentum above 0 and no dampening
        ｜ Nesterov：沿动量方向向前看一步；要求 momentum 大于 0、dampening 为 0
    weight_decay: L2 penalty, added to the gradient of matrices (coupled) ｜ 权重衰减：加在矩阵梯度上的 L2 项（耦合式）
    dampening: how much of a new gradient the momentum leaves out ｜ 新梯度中不计入动量的份额
    fused: fused kernels; auto takes them where torch has right ones for the device and dtype, off takes foreach
        ｜ 融合内核；auto 在 torch 对该设备与数据类型有正确的融合内核时使用，off 用 foreach

    Formula: v ← momentum · v + g;  w ← w − lr · v  (Nesterov: w ← w − lr · (g + momentum · v))
    When it helps: convolutional nets with normalisation and a tuned rate, where it often generalises best; linear models; as the plain
    thing to compare with.
    What it costs: one number of state for each parameter (none without momentum), one fused pass.
    When not to use it: transformers, embeddings and other nets whose gradients differ much in scale from layer to layer, unless there is
    time to tune the rate.
    Failure signals: a loss that jumps to that of guessing in the first steps and stays there: the rate is too high; a nearly straight, slow
    fall: too low.
    Interactions: wants a decaying schedule for its last points; its weight_decay is added inside the optimiser, so `clip` and `sam` do not
    see it, and momentum keeps it.

    Scope: 1.5, 3.1

    中文: 随机梯度下降，可带动量与 Nesterov 加速；权重衰减是加在梯度上的 L2 项。

    原理: 沿梯度的动量（历史梯度的衰减和）走一步；不做任何逐参数的缩放。
    公式: v ← momentum · v + g；w ← w − lr · v（Nesterov：w ← w − lr · (g + momentum · v)）
    何时有用: 带归一化且调好学习率的卷积网络，泛化往往最好；线性模型；作为最朴素的对照。
    代价: 每个参数一个状态数（无动量时没有），一次融合遍历。
    何时不用: Transformer、嵌入等各层梯度尺度悬殊的网络，除非有时间细调学习率。
    失效信号: 头几步损失就跳到瞎猜的水平并停在那里：学习率太高；近乎直线地缓慢下降：太低。
    相互作用: 最后几个点要靠逐渐降低的学习率；weight_decay 是在优化器里加到梯度上的，`clip` 与 `sam` 看不到它，动量则会保留它。
    """

    width_rule: ClassVar = "sgd"

    lr: Positive = 0.1
    momentum: Rate = 0.9
    nesterov: bool = False
    weight_decay: NonNegative = 0.0
    dampening: Fraction = 0.0
    fused: Fused = "auto"

    def takes_sparse(self) -> bool:
        return self.momentum == 0  # a sparse momentum would miss the rows that other batches touched

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            raise BadInput(messages.NESTEROV, momentum=self.momentum, dampening=self.dampening)
        return built(
            torch.optim.SGD, params, self.fused,
            lr=self.lr, momentum=self.momentum, dampening=self.dampening, weight_decay=self.weight_decay, nesterov=self.nesterov,
        )  # fmt: skip


@dataclass(frozen=True)
class Adam(Grouped):
    """Adam: steps scaled by running moments of the gradient; weight decay is an L2 term in the gradient (Kingma & Ba 2015).

    lr: learning rate ｜ 学习率
    beta1: decay of the running mean of the gradient ｜ 一阶矩（梯度滑动平均）的衰减系数
    beta2: decay of the running mean of its square ｜ 二阶矩（梯度平方滑动平均）的衰减系数
    eps: added to the root of the second moment ｜ 加在二阶矩平方根上的小量
    weight_decay: L2 penalty, added to the gradient of matrices (coupled; for the decoupled one take adamw)
        ｜ 权重衰减：加在矩阵梯度上的 L2 项（耦合式；解耦式请用 adamw）
    fused: fused kernels; auto takes them where torch has right ones for the device and dtype, off takes foreach
        ｜ 融合内核；auto 在 torch 对该设备与数据类型有正确的融合内核时使用，off 用 foreach

    Formula: m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;  w ← w − lr · m̂ / (√v̂ + eps), m̂ and v̂ corrected for their start
    When it helps: nets whose gradients differ in scale from layer to layer, sparse or noisy gradients; it works over a wide window of
    rates.
    What it costs: two numbers of state for each parameter, one fused pass.
    When not to use it: with weight decay: its L2 term is divided by the scales, so take `adamw`.
    Failure signals: spikes late in training: v has become small and one gradient is large beside it, so raise eps or lower beta2; no
    progress at all: the rate is ten times off.
    Interactions: divides most of a constant scaling out, so `clip` acts on rare large gradients only; `l1`, `l2` and `elastic` lose their
    scale in it.

    Scope: 1.5, 3.1

    中文: Adam：用梯度的一阶与二阶滑动矩调节步长；权重衰减是加在梯度上的 L2 项（耦合式）。

    原理: 用梯度的滑动均值作方向，除以其平方滑动均值的根，于是每个参数有自己的步长。
    公式: m ← β₁ m + (1 − β₁) g；v ← β₂ v + (1 − β₂) g²；w ← w − lr · m̂ / (√v̂ + eps)，m̂ 与 v̂ 已修正起步
    何时有用: 各层梯度尺度悬殊、稀疏或噪声大的梯度；可用的学习率范围很宽。
    代价: 每个参数两个状态数，一次融合遍历。
    何时不用: 需要权重衰减时：L2 项会被尺度除掉，请用 `adamw`。
    失效信号: 训练后期出现尖峰：v 变小后遇到大梯度，应增大 eps 或降低 beta2；毫无进展：学习率差了十倍。
    相互作用: 恒定的缩放大多被除掉，所以 `clip` 只对偶尔的大梯度起作用；`l1`、`l2`、`elastic` 在其中失去原有的尺度。
    """

    width_rule: ClassVar = "adam"

    lr: Positive = 1e-3
    beta1: Rate = 0.9
    beta2: Rate = 0.999
    eps: NonNegative = 1e-8
    weight_decay: NonNegative = 0.0
    fused: Fused = "auto"

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        return built(
            torch.optim.Adam, params, self.fused,
            lr=self.lr, betas=(self.beta1, self.beta2), eps=self.eps, weight_decay=self.weight_decay,
        )  # fmt: skip


@dataclass(frozen=True)
class AdamW(Grouped):
    """Adam with decoupled weight decay: parameters shrink by lr times the decay, whatever their gradient (Loshchilov & Hutter 2019).

    lr: learning rate ｜ 学习率
    beta1: decay of the running mean of the gradient ｜ 一阶矩（梯度滑动平均）的衰减系数
    beta2: decay of the running mean of its square ｜ 二阶矩（梯度平方滑动平均）的衰减系数
    eps: added to the root of the second moment ｜ 加在二阶矩平方根上的小量
    weight_decay: how much matrices shrink a step, as a multiple of the rate (decoupled)
        ｜ 权重衰减：每步把矩阵缩小“学习率 × 该系数”（解耦式）
    fused: fused kernels; auto takes them where torch has right ones for the device and dtype, off takes foreach
        ｜ 融合内核；auto 在 torch 对该设备与数据类型有正确的融合内核时使用，off 用 foreach

    Formula: w ← (1 − lr · weight_decay) · w − lr · m̂ / (√v̂ + eps), m̂ and v̂ as in Adam
    When it helps: the first thing to try for nearly every net, transformers above all; decay and rate can be tuned apart.
    What it costs: two numbers of state for each parameter, one fused pass.
    When not to use it: when memory for two states is short (`lion`, `adafactor`), or when the last points of a convolutional net count and
    there is time to tune `sgd`.
    Failure signals: as Adam's: late spikes (eps too small or beta2 too large); weights that shrink while the loss stands still say that the
    decay is too strong for the rate.
    Interactions: the decay is multiplied by the rate, so a schedule scales it as well; the technique `weight_decay` would be a second one;
    warm-up is wanted with transformers.

    Scope: 1.5, 3.1

    中文: AdamW：权重衰减与梯度解耦的 Adam，每步直接按“学习率 × 衰减”缩小权重。

    原理: 方向与步长同 Adam，权重衰减则与梯度分开，直接按“学习率 × 衰减”缩小矩阵。
    公式: w ← (1 − lr · weight_decay) · w − lr · m̂ / (√v̂ + eps)，m̂ 与 v̂ 同 Adam
    何时有用: 几乎任何网络都先试它，Transformer 尤其如此；衰减与学习率可以分开调。
    代价: 每个参数两个状态数，一次融合遍历。
    何时不用: 内存放不下两份状态时（用 `lion`、`adafactor`）；或卷积网络的最后几个点很要紧，又有时间细调 `sgd`。
    失效信号: 同 Adam：后期尖峰（eps 太小或 beta2 太大）；权重缩小而损失不动，说明衰减相对学习率太强。
    相互作用: 衰减要乘学习率，因此也随调度变化；再加技巧 `weight_decay` 就成了两份；Transformer 要配预热。
    """

    width_rule: ClassVar = "adam"

    lr: Positive = 1e-3
    beta1: Rate = 0.9
    beta2: Rate = 0.999
    eps: NonNegative = 1e-8
    weight_decay: NonNegative = 0.01
    fused: Fused = "auto"

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        return built(
            torch.optim.AdamW, params, self.fused,
            lr=self.lr, betas=(self.beta1, self.beta2), eps=self.eps, weight_decay=self.weight_decay,
        )  # fmt: skip


@dataclass(frozen=True)
class NAdam(Grouped):
    """Adam with Nesterov's momentum, whose share rises over the first steps (Dozat 2016, "Incorporating Nesterov momentum into Adam").

    lr: learning rate ｜ 学习率
    beta1: decay of the running mean of the gradient ｜ 一阶矩（梯度滑动平均）的衰减系数
    beta2: decay of the running mean of its square ｜ 二阶矩（梯度平方滑动平均）的衰减系数
    eps: added to the root of the second moment ｜ 加在二阶矩平方根上的小量
    momentum_decay: how fast the momentum's share rises from half of beta1; 0 leaves it there
        ｜ 动量所占份额由 beta1 的一半升高的快慢；0 为一直停在一半
    weight_decay: decay of matrices ｜ 矩阵的权重衰减
    decoupled: matrices shrink by lr times the decay, as in adamw; else the decay is an L2 penalty in the gradient
        ｜ true 时同 adamw，矩阵每步缩小“lr × 衰减”；否则衰减是加在梯度上的 L2 项

    Formula: w ← w − lr · (μ₊ m̂ + (1 − μ) ĝ) / (√v̂ + eps), where the share μ of the momentum rises over the first steps
    When it helps: where Adam does; a little faster at the start of noisy or recurrent trainings.
    What it costs: two numbers of state for each parameter; no fused kernel, so a step takes a little longer than Adam's.
    When not to use it: when fused Adam is at hand and steps are cheap beside it.
    Failure signals: as Adam's; at a rate that Adam just bears it overshoots first, since it looks ahead.
    Interactions: as with `adam`; decoupled=true makes the decay that of `adamw`.

    Scope: 3.1

    中文: NAdam：带 Nesterov 动量的 Adam。

    原理: Adam 加上 Nesterov 动量：用下一步的动量校正方向，动量所占份额在开头逐渐升高。
    公式: w ← w − lr · (μ₊ m̂ + (1 − μ) ĝ) / (√v̂ + eps)，动量的份额 μ 在最初几步逐渐升高
    何时有用: 适合 Adam 的地方都适合；噪声大或循环网络的训练，开头略快。
    代价: 每个参数两个状态数；没有融合内核，一步比 Adam 略慢。
    何时不用: 有融合的 Adam 可用、且步本身很便宜的时候。
    失效信号: 同 Adam；在 Adam 刚好承受的学习率上它会先冲过头，因为它向前多看一步。
    相互作用: 同 `adam`；decoupled=true 时衰减与 `adamw` 相同。
    """

    width_rule: ClassVar = "adam"

    lr: Positive = 2e-3
    beta1: Rate = 0.9
    beta2: Rate = 0.999
    eps: NonNegative = 1e-8
    momentum_decay: NonNegative = 4e-3
    weight_decay: NonNegative = 0.0
    decoupled: bool = True

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        return built(
            torch.optim.NAdam, params, "off", lr=self.lr, betas=(self.beta1, self.beta2), eps=self.eps, weight_decay=self.weight_decay,
            momentum_decay=self.momentum_decay, decoupled_weight_decay=self.decoupled,
        )  # fmt: skip


@dataclass(frozen=True)
class RAdam(Grouped):
    """Adam that leaves its second moment out until enough was seen, then rectifies its variance: a warm-up of its own (Liu et al. 2020).

    lr: learning rate ｜ 学习率
    beta1: decay of the running mean of the gradient ｜ 一阶矩（梯度滑动平均）的衰减系数
    beta2: decay of the running mean of its square ｜ 二阶矩（梯度平方滑动平均）的衰减系数
    eps: added to the root of the second moment ｜ 加在二阶矩平方根上的小量
    weight_decay: decay of matrices ｜ 矩阵的权重衰减
    decoupled: matrices shrink by lr times the decay, as in adamw; else the decay is an L2 penalty in the gradient
        ｜ true 时同 adamw，矩阵每步缩小“lr × 衰减”；否则衰减是加在梯度上的 L2 项

    Formula: w ← w − lr · r_t · m̂ / (√v̂ + eps), with r_t → 1 as v becomes sure; w ← w − lr · m̂ while too little was seen
    When it helps: trainings without a warm-up, or where nobody wants to tune one.
    What it costs: two numbers of state for each parameter; no fused kernel.
    When not to use it: with a schedule that warms up anyway: it is then `adamw` with a slower start.
    Failure signals: the first steps take the raw momentum: a loss that jumps at once says that the rate is too high for plain momentum.
    Interactions: a warm-up in the schedule does the same again; as with `adam` beside everything else.

    Scope: 3.1

    中文: RAdam：对二阶矩的方差做修正的 Adam，相当于自带预热。

    原理: 开头样本太少时不用二阶矩，只走动量；随后按其方差修正步长，相当于自带预热。
    公式: w ← w − lr · r_t · m̂ / (√v̂ + eps)，r_t 随 v 可靠而趋于 1；样本太少时 w ← w − lr · m̂
    何时有用: 没有预热、也不想调预热的训练。
    代价: 每个参数两个状态数；没有融合内核。
    何时不用: 调度里已有预热时：它就成了起步更慢的 `adamw`。
    失效信号: 最初几步走的是原始动量：损失一开始就跳，说明学习率对普通动量来说太高。
    相互作用: 调度里的预热会把同一件事再做一遍；其余同 `adam`。
    """

    width_rule: ClassVar = "adam"

    lr: Positive = 1e-3
    beta1: Rate = 0.9
    beta2: Rate = 0.999
    eps: NonNegative = 1e-8
    weight_decay: NonNegative = 0.0
    decoupled: bool = True

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        return built(
            torch.optim.RAdam, params, "off", lr=self.lr, betas=(self.beta1, self.beta2), eps=self.eps, weight_decay=self.weight_decay,
            decoupled_weight_decay=self.decoupled,
        )  # fmt: skip
