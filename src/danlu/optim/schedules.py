"""Learning-rate schedules as pure functions of the step: `Cosine(warmup=500)(total_steps)(step)` is a factor of the peak rate.

Steps count from 0. A warm-up of W steps climbs from near nothing to the schedule's first value, which step W has; the schedule proper
then runs over the steps that are left, counted from 0 again, so `Step(every=100, warmup=50)` drops first at step 150. From the total on,
the factor stays where it ended. Factors compose like functions (`optim.factors`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from math import cos, inf, pi, sqrt
from typing import Annotated, Literal

from danlu.fields import Fraction, NonNegative, Positive, PositiveInt, Range
from danlu.optim.factors import Factor, Shape, warmed, warmup_steps

Gamma = Annotated[float, Range(0, 1, open_low=True)]
Inside = Annotated[float, Range(0, 1, open_low=True, open_high=True)]
Cycles = Annotated[int, Range(1, 10_000)]
Growth = Annotated[float, Range(1, inf, open_high=True)]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """What all schedules share: `body(steps)` is the schedule proper, over the steps that the warm-up leaves."""

    warmup: NonNegative = 0.0
    warmup_shape: Shape = "linear"

    def __call__(self, total_steps: int) -> Factor:
        rise = warmup_steps(self.warmup, total_steps)
        return warmed(self.body(total_steps - rise), rise, self.warmup_shape, total_steps - rise)

    def body(self, steps: int) -> Factor:
        raise NotImplementedError


@dataclass(frozen=True)
class Constant(Schedule):
    """The same rate throughout.

    warmup: steps of warm-up, or below 1 their share of the total ｜ 预热步数；小于 1 时为占总步数的比例
    warmup_shape: linear or exponential ｜ 预热的形状：linear 线性，exponential 指数

    Formula: factor(step) = 1
    When it helps: looking for a rate, short tests, and optimisers that average or adapt by themselves.
    What it costs: nothing.
    When not to use it: as the last training: without a decay the noise of the steps stays in the weights.
    Failure signals: the training loss stops falling and only jitters, although a lower rate would bring it down at once.
    Interactions: `ema`, `swa` and the schedule-free optimisers make up for the missing decay; transformers want its warm-up.

    Scope: 1.6

    中文: 学习率恒定不变（可带预热）。

    原理: 整个训练学习率不变（可带预热）。
    何时有用: 寻找学习率、短测试，以及自带平均或自适应的优化器。
    代价: 没有代价。
    何时不用: 作为最终训练：没有衰减，步子的噪声会留在权重里。
    失效信号: 训练损失不再下降、只是抖动，而降低学习率立刻就能让它下来。
    相互作用: `ema`、`swa` 与免调度优化器可以弥补没有衰减；Transformer 需要它的预热。
    """

    def body(self, steps: int) -> Factor:
        return lambda step: 1.0


@dataclass(frozen=True)
class Step(Schedule):
    """Drops by the same ratio at equal distances.

    every: steps between drops ｜ 两次下降之间的步数
    gamma: what each drop multiplies by ｜ 每次下降乘以的系数
    warmup: steps of warm-up, or below 1 their share of the total ｜ 预热步数；小于 1 时为占总步数的比例
    warmup_shape: linear or exponential ｜ 预热的形状：linear 线性，exponential 指数

    Formula: factor(step) = gamma^⌊step / every⌋
    When it helps: convolutional nets with SGD, where one wants to see what each drop gains.
    What it costs: nothing; `every` has to be tuned to the length of the run.
    When not to use it: runs whose length is still open: the drops lie elsewhere in a longer one.
    Failure signals: a drop after which the loss does not fall: it came too late or the rate was low already; a loss that falls steeply at
    each drop to the last: they came too late.
    Interactions: restarts nothing in the optimiser; `early_stop` with little patience ends the run just before a drop that would have
    helped.

    Scope: 1.6

    中文: 每隔固定步数把学习率乘以 gamma。

    原理: 每隔固定步数把学习率乘以 gamma。
    何时有用: 用 SGD 训练卷积网络、想看清每次下降带来多少的时候。
    代价: 没有代价；但 `every` 要按训练长度来调。
    何时不用: 长度未定的训练：换个长度，下降的位置就变了。
    失效信号: 下降之后损失不再降：来得太晚，或学习率早已很低；直到最后一次下降损失都陡降：都来得太晚。
    相互作用: 优化器里什么都不重置；耐心不足的 `early_stop` 会在有用的下降之前结束训练。
    """

    every: PositiveInt
    gamma: Gamma = 0.1

    def body(self, steps: int) -> Factor:
        return lambda step: self.gamma ** (step // self.every)


@dataclass(frozen=True)
class MultiStep(Schedule):
    """Drops by the same ratio at given steps.

    milestones: the steps of the drops, counted from the end of the warm-up; one that is named twice drops twice
        ｜ 下降的各个步数，从预热结束时算起；同一步写两次就降两次
    gamma: what each drop multiplies by ｜ 每次下降乘以的系数
    warmup: steps of warm-up, or below 1 their share of the total ｜ 预热步数；小于 1 时为占总步数的比例
    warmup_shape: linear or exponential ｜ 预热的形状：linear 线性，exponential 指数

    Formula: factor(step) = gamma^(number of milestones up to step)
    When it helps: repeating published recipes that name the steps of their drops.
    What it costs: nothing; the milestones have to be tuned.
    When not to use it: runs of another length than the milestones were made for.
    Failure signals: a milestone beyond the end of the run: it never drops; losses that still fall steeply when the next one comes: it comes
    too early.
    Interactions: as `step`; milestones count from the end of the warm-up.

    Scope: 1.6

    中文: 在给定的各个步数处把学习率乘以 gamma。

    原理: 在给定的各个步数处把学习率乘以 gamma。
    公式: factor(step) = gamma^n，n 为已经过的 milestones 个数
    何时有用: 复现写明下降步数的已发表配方。
    代价: 没有代价；但各个步数要调。
    何时不用: 训练长度与这些步数所针对的不同。
    失效信号: 某个步数超出训练终点：永远不降；下一次下降到来时损失仍在陡降：来得太早。
    相互作用: 同 `step`；步数从预热结束时算起。
    """

    milestones: tuple[PositiveInt, ...]
    gamma: Gamma = 0.1

    def body(self, steps: int) -> Factor:
        milestones = sorted(self.milestones)
        return lambda step: self.gamma ** bisect_right(milestones, step)


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine from the peak to the floor, in one cycle or with warm restarts (SGDR, Loshchilov & Hutter 2017).

    floor: where each cycle ends, as a share of the peak ｜ 每个周期结束时的学习率与峰值之比
    cycles: how many cycles fill the steps; each but the first is a restart at the peak
        ｜ 全部步数分成几个周期；除第一个外，每个都从峰值热重启
    growth: how much longer each cycle is than the one before ｜ 每个周期的长度是前一个的几倍
    warmup: steps of warm-up, or below 1 their share of the total ｜ 预热步数；小于 1 时为占总步数的比例
    warmup_shape: linear or exponential ｜ 预热的形状：linear 线性，exponential 指数

    Formula: factor = floor + (1 − floor) · (1 + cos(π · share of the cycle)) / 2
    When it helps: the usual choice when the length of the run is known: high for half of it, then a smooth decay to nothing.
    What it costs: nothing; a run that is stopped early has never seen its low rates.
    When not to use it: runs that may be prolonged or cut (`wsd`, schedule-free optimisers), and searches that stop trials early.
    Failure signals: loss still high at the middle is normal; a loss that has been flat for the whole last quarter says that the peak was
    too low or floor is zero too early.
    Interactions: `early_stop` cuts its best part off; `swa` finds nothing left to average, `ema` little; restarts (cycles > 1) give `swa`
    its points.

    Scope: 1.6

    中文: 余弦退火：学习率沿半个余弦降到 floor；可多次热重启，各周期可逐次加长。

    原理: 学习率沿半个余弦从峰值降到 floor；可多次热重启。
    公式: factor = floor + (1 − floor) · (1 + cos(π · 周期已过的份额)) / 2
    何时有用: 训练长度已知时的常用选择：前半程保持高，随后平滑降到零。
    代价: 没有代价；但提前停下的训练从未见过低学习率。
    何时不用: 可能延长或截断的训练（用 `wsd` 或免调度优化器），以及会提前淘汰试验的搜索。
    失效信号: 中途损失仍高是正常的；最后四分之一全程持平，则是峰值太低或过早降到零。
    相互作用: `early_stop` 会截掉它最好的部分；`swa` 无可平均，`ema` 收益很小；热重启（cycles > 1）能给 `swa` 提供取样点。
    """

    floor: Fraction = 0.0
    cycles: Cycles = 1
    growth: Growth = 1.0

    def body(self, steps: int) -> Factor:
        lengths = [self.growth ** (cycle - self.cycles) for cycle in range(self.cycles)]  # negative powers cannot overflow
        whole = sum(lengths)
        bounds = [round(steps * before / whole) for before in accumulate(lengths, initial=0.0)]

        def factor(step: int) -> float:
            cycle = bisect_right(bounds, step) - 1
            share = 1.0 if step >= steps else (step - bounds[cycle]) / (bounds[cycle + 1] - bounds[cycle])
            return self.floor + (1 - self.floor) * (1 + cos(pi * share)) / 2

        return factor


@dataclass(frozen=True)
class Exponential(Schedule):
    """Falls by the same ratio over equal distances, smoothly.

    gamma: what the rate is multiplied by over `every` steps ｜ 每 `every` 步学习率乘以的系数
    every: steps that gamma is for ｜ gamma 对应的步数
    warmup: steps of warm-up, or below 1 their share of the total ｜ 预热步数；小于 1 时为占总步数的比例
    warmup_shape: linear or exponential ｜ 预热的形状：linear 线性，exponential 指数

    Formula: factor(step) = gamma^(step / every)
    When it helps: long runs without a known end that should still slow down smoothly.
    What it costs: nothing; gamma has to fit the length: after n steps gamma^(n / every) is left.
    When not to use it: short runs: with the default little happens in hundreds of steps; long ones: the rate is gone before the end.
    Failure signals: a loss that freezes long before the end: the rate is down to nothing.
    Interactions: has no end that techniques could hold to; with `adagrad` or `adafactor` decay comes twice.

    Scope: 1.6

    中文: 指数衰减：每 every 步平滑地衰减为原来的 gamma 倍。

    原理: 每 every 步平滑地衰减为原来的 gamma 倍。
    何时有用: 终点未知、但仍应平滑放慢的长训练。
    代价: 没有代价；gamma 要与长度相配：n 步后剩下 gamma^(n / every)。
    何时不用: 短训练：默认值在几百步内几乎不变；很长的训练：没到终点学习率就没了。
    失效信号: 远未结束损失就冻住：学习率已经降没了。
    相互作用: 没有技巧可以依据的终点；与 `adagrad` 或 `adafactor` 同用是双重衰减。
    """

    gamma: Gamma = 0.999
    every: PositiveInt = 1

    def body(self, steps: int) -> Factor:
        return lambda step: self.gamma ** (step / self.every)


@dataclass(frozen=True)
class Polynomial(Schedule):
    """Falls to the floor as a power of the share of steps that is left.

    power: 1 is a straight line; larger falls sooner ｜ 幂次：1 为直线；越大降得越早
    floor: where it ends, as a share of the peak ｜ 结束时的学习率与峰值之比
    warmup: steps of warm-up, or below 1 their share of the total ｜ 预热步数；小于 1 时为占总步数的比例
    warmup_shape: linear or exponential ｜ 预热的形状：linear 线性，exponential 指数

    Formula: factor = floor + (1 − floor) · (1 − step / steps)^power
    When it helps: segmentation and detection recipes that name it; a decay whose shape can be tuned by one number.
    What it costs: nothing.
    When not to use it: runs of open length.
    Failure signals: with a large power the loss stops falling in the last third: the rate was spent too early.
    Interactions: as `cosine`; power 1 is `linear`.

    Scope: 1.6

    中文: 多项式衰减：按剩余步数占比的 power 次幂降到 floor。

    原理: 按剩余步数占比的 power 次幂降到 floor。
    何时有用: 写明用它的分割与检测配方；可用一个数调节衰减的形状。
    代价: 没有代价。
    何时不用: 长度未定的训练。
    失效信号: power 较大时，最后三分之一损失不再下降：学习率用得太早。
    相互作用: 同 `cosine`；power 为 1 就是 `linear`。
    """

    power: Positive = 2.0
    floor: Fraction = 0.0

    def body(self, steps: int) -> Factor:
        return lambda step: self.floor + (1 - self.floor) * (1 - step / steps) ** self.power


@dataclass(frozen=True)
class Linear(Schedule):
    """A straight line from the peak to the floor.

    floor: where it ends, as a share of the peak ｜ 结束时的学习率与峰值之比
    warmup: steps of warm-up, or below 1 their share of the total ｜ 预热步数；小于 1 时为占总步数的比例
    warmup_shape: linear or exponential ｜ 预热的形状：linear 线性，exponential 指数

    Formula: factor = floor + (1 − floor) · (1 − step / steps)
    When it helps: fine-tuning of transformers and short budgets; as good as a cosine with fewer words.
    What it costs: nothing.
    When not to use it: runs of open length.
    Failure signals: as `cosine`: a flat last quarter says that the peak was too low.
    Interactions: as `cosine`; with `muon` and `lion`, whose steps do not shrink by themselves, the straight fall to zero matters most.

    Scope: 1.6

    中文: 线性衰减：学习率沿直线降到 floor。

    原理: 学习率沿直线从峰值降到 floor。
    何时有用: Transformer 微调与短预算；与余弦一样好，还更简单。
    代价: 没有代价。
    何时不用: 长度未定的训练。
    失效信号: 同 `cosine`：最后四分之一持平，说明峰值太低。
    相互作用: 同 `cosine`；`muon` 与 `lion` 的步长不会自己变小，直线降到零对它们最重要。
    """

    floor: Fraction = 0.0

    def body(self, steps: int) -> Factor:
        return lambda step: self.floor + (1 - self.floor) * (1 - step / steps)


@dataclass(frozen=True)
class InverseSqrt(Schedule):
    """Falls with the root of the step; with as much warm-up as timescale it is the Transformer's (Vaswani et al. 2017).

    timescale: steps after which the factor is the root of a half ｜ 经过这么多步后，学习率降到峰值的 1/√2
    warmup: steps of warm-up, or below 1 their share of the total ｜ 预热步数；小于 1 时为占总步数的比例
    warmup_shape: linear or exponential ｜ 预热的形状：linear 线性，exponential 指数

    Formula: factor(step) = √(timescale / (timescale + step))
    When it helps: long pre-training whose end is not known; the Transformer's schedule when warm-up equals timescale.
    What it costs: nothing.
    When not to use it: runs of known length: a decay to nothing ends lower.
    Failure signals: the loss keeps jittering at the end: the rate is still high by design.
    Interactions: wants `ema` or a last decay (`wsd`) for the final weights; with `adafactor` the same root comes twice.

    Scope: 1.6

    中文: 平方根倒数衰减；timescale 与预热步数相等时即 Transformer 原论文的调度。

    原理: 按步数平方根的倒数下降；timescale 与预热步数相等时即 Transformer 原论文的调度。
    何时有用: 终点未知的长预训练。
    代价: 没有代价。
    何时不用: 长度已知的训练：降到零的调度结果更低。
    失效信号: 结束时损失仍在抖动：学习率按设计就还很高。
    相互作用: 最终权重应配 `ema` 或最后一段衰减（`wsd`）；与 `adafactor` 同用，同样的平方根会乘两次。
    """

    timescale: PositiveInt = 1000

    def body(self, steps: int) -> Factor:
        return lambda step: sqrt(self.timescale / (self.timescale + step))


@dataclass(frozen=True)
class WSD(Schedule):
    """Warm-up, stable, decay: the peak for most of the run, then a decay (Hu et al. 2024; shapes after Hägele et al. 2024).

    decay: the decay's share of the steps after the warm-up; at least one step ｜ 衰减段占预热之后步数的比例；至少一步
    shape: how it decays: linear, sqrt (1 minus the root of the share done) or cosine
        ｜ 衰减的形状：linear 直线，sqrt（1 减去已走比例的平方根），cosine 余弦
    floor: where it ends, as a share of the peak ｜ 结束时的学习率与峰值之比
    warmup: steps of warm-up, or below 1 their share of the total ｜ 预热步数；小于 1 时为占总步数的比例
    warmup_shape: linear or exponential ｜ 预热的形状：linear 线性，exponential 指数

    Formula: factor = 1 until the last share `decay` of the steps; there floor + (1 − floor) · (1 − √x), x the share done (or linear,
    cosine)
    When it helps: runs that may be prolonged: continue from before the decay, and decay again at the new end.
    What it costs: nothing; the gain comes in the decay alone, so intermediate looks seem worse than a cosine's.
    When not to use it: judging a run before its decay.
    Failure signals: no steep fall of the loss in the decay: the peak was too low, or decay is too short.
    Interactions: `ema` shows before the decay about what it will give; `early_stop` must not end the run in the stable part, where the loss
    moves slowly.

    Scope: 1.6

    中文: WSD（预热—稳定—衰减）：大部分时间保持峰值学习率，最后一段再降到 floor。

    原理: 预热后大部分时间保持峰值，最后一段降到 floor。
    公式: 最后 `decay` 份额之前 factor = 1；其后为 floor + (1 − floor) · (1 − √x)，x 为衰减段已过的份额（或线性、余弦）
    何时有用: 可能延长的训练：从衰减之前的检查点继续，在新的终点再衰减一次。
    代价: 没有代价；收益全在衰减阶段，中途看起来不如余弦。
    何时不用: 在衰减之前评判一次训练。
    失效信号: 衰减阶段损失没有陡降：峰值太低，或衰减段太短。
    相互作用: `ema` 在衰减之前就大致显示出衰减将带来的结果；`early_stop` 不能在缓慢的平稳段结束训练。
    """

    decay: Gamma = 0.2
    shape: Literal["linear", "sqrt", "cosine"] = "sqrt"
    floor: Fraction = 0.0

    def body(self, steps: int) -> Factor:
        length = max(1, round(self.decay * steps))
        shapes: dict[str, Callable[[float], float]] = {
            "linear": lambda x: 1 - x,
            "sqrt": lambda x: 1 - sqrt(x),
            "cosine": lambda x: (1 + cos(pi * x)) / 2,
        }
        left = shapes[self.shape]
        return lambda step: self.floor + (1 - self.floor) * left(max(0, step - (steps - length)) / length)


@dataclass(frozen=True)
class OneCycle(Schedule):
    """One rise to the peak and one fall below the start, both half cosines (Smith & Topin 2018); the last step has the floor.

    The optimiser's rate is the peak. Only the rate cycles, not the momentum. Its rise is a warm-up of its own.

    rise: share of the steps in which the rate rises ｜ 上升段占步数的比例
    start: where it starts, as a share of the peak ｜ 起始学习率与峰值之比
    floor: where it ends, as a share of the peak ｜ 结束时的学习率与峰值之比
    warmup: steps of warm-up before the rise, or below 1 their share of the total ｜ 上升段之前的预热步数；小于 1 时为占总步数的比例
    warmup_shape: linear or exponential ｜ 预热的形状：linear 线性，exponential 指数

    Formula: rises from start to the peak over `rise` of the steps and falls to floor, both half cosines
    When it helps: short budgets: a peak several times as high as a constant rate bears, with a warm-up and a decay to nothing around it.
    What it costs: nothing; the peak has to be tuned for the length.
    When not to use it: runs of open length, and continuing from pretrained weights, which the peak may destroy.
    Failure signals: the loss jumps near the peak and does not come back: it is too high; the middle of the run looks worse than a constant
    rate: normal.
    Interactions: as `cosine` with `early_stop` and `swa`; only the rate cycles, momentum stays; its rise is a warm-up, so none is needed
    beside it.

    Scope: 1.6

    中文: 单周期策略：学习率先沿半个余弦升到峰值，再沿半个余弦降到远低于起点的值。

    原理: 学习率沿半个余弦升到峰值，再沿半个余弦降到远低于起点的值。
    公式: 在 `rise` 份额的步数内从 start 升到峰值，再降到 floor，两段都是半个余弦
    何时有用: 短预算：峰值可以是恒定学习率所能承受的数倍，前有预热、后有降到零的衰减。
    代价: 没有代价；峰值要按长度来调。
    何时不用: 长度未定的训练；以及从预训练权重继续，峰值可能毁掉它们。
    失效信号: 在峰值附近损失跳起再也回不来：峰值太高；中途看起来不如恒定学习率：正常。
    相互作用: 与 `early_stop`、`swa` 的关系同 `cosine`；只有学习率循环，动量不变；上升段就是预热，不必再加。
    """

    rise: Inside = 0.3
    start: Fraction = 0.04
    floor: Fraction = 4e-6

    def body(self, steps: int) -> Factor:
        peak, last = self.rise * steps - 1, steps - 1  # counted in steps from 0; the peak may lie between two

        def factor(step: int) -> float:
            if step < peak:
                return self.start + (1 - self.start) * (1 - cos(pi * step / peak)) / 2
            share = min((step - max(peak, 0)) / (last - max(peak, 0)), 1.0) if last > 0 else 0.0
            return self.floor + (1 - self.floor) * (1 + cos(pi * share)) / 2

        return factor
