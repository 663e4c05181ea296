"""Schedule-free SGD and AdamW: an average of the weights stands in for a rate that decays (Defazio et al. 2024, "The road less scheduled").

Three points: z steps, x is its weighted average, and the gradient is taken at y between them, which is what the model holds. What is
validated, exported and kept as best is x. The end of the training need not be known; a warm-up still helps.
The statistics of BatchNorm are those seen at y, where the gradient was taken; they are close to x's, not the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import torch
from torch import Tensor

from danlu.core import Technique
from danlu.fields import NonNegative, Positive, Range, Rate
from danlu.optim.foreach import Foreach, Touched, zeros
from danlu.optim.groups import Grouped, LayerDecay

if TYPE_CHECKING:
    from danlu.core import Evaluate, Outcome, Run, Update

Power = Annotated[float, Range(0, 16)]  # of a count of steps and of a rate: more overflows a float


@dataclass
class ScheduleFree(Technique):
    """What both share: the average as the weights to validate and export.

    lr: learning rate ｜ 学习率
    beta: where between z (0) and x (1) the gradient is taken ｜ 在 z（0）与 x（1）之间何处求梯度
    weight_decay: how much matrices shrink a step, as a multiple of the rate; taken at y
        ｜ 权重衰减：每步把矩阵缩小“学习率 × 该系数”；按 y 处的权重计算
    power: step n weighs n to this power in the average ｜ 平均时第 n 步的权重为 n 的该次幂
    rate_power: a step weighs its rate to this power, so that those of a warm-up count less
        ｜ 平均时每步再按学习率的该次幂加权，使预热阶段占得少
    decay_norms: norms and biases decay too ｜ 归一化层与偏置也做权重衰减
    layer_decay: what each layer's rate is multiplied by, counted down from the top; 1 is one rate for all
        ｜ 逐层学习率衰减：从顶层往下，每层的学习率再乘一次该系数；1 为各层相同
    """

    lr: Positive = 1.0
    beta: Rate = 0.9
    weight_decay: NonNegative = 0.0
    power: Power = 0.0
    rate_power: Power = 2.0
    decay_norms: bool = False
    layer_decay: LayerDecay = 1.0

    state = ("average",)
    neutral = "the average is what the optimiser trains"
    changes = "memory"

    groups, takes_sparse = Grouped.groups, Grouped.takes_sparse

    def wrap_update(self, update: Update, run: Run) -> Update:
        named = run.placement.live(run.model)  # tied ones once
        parameters = {name: p for name, p in run.model.named_parameters() if p.requires_grad}
        self.average = linked = named  # until the first move, the weights themselves
        known = 0

        def averaged(evaluate: Evaluate) -> Outcome:
            nonlocal linked, known
            outcome = update(evaluate)
            if self.average is not linked or len(run.optimizer.state) != known:  # after loading; when a parameter has moved first
                states = run.placement.states(run.optimizer)
                linked = named | {name: states[p]["x"] for name, p in parameters.items() if p in states}
                self.average, known = linked, len(run.optimizer.state)
            return outcome

        return averaged

    def shadow(self) -> dict[str, Tensor]:
        return self.average


@dataclass
class ScheduleFreeSGD(ScheduleFree):
    """Schedule-free SGD: no decay of the rate, and no length of training to choose beforehand (Defazio et al. 2024).

    lr: learning rate; larger than that of SGD with momentum, which is already a sum over steps
        ｜ 学习率；应大于带动量的 SGD，后者的步本来就是多步之和
    beta: where between z (0) and x (1) the gradient is taken ｜ 在 z（0）与 x（1）之间何处求梯度
    weight_decay: how much matrices shrink a step, as a multiple of the rate; taken at y
        ｜ 权重衰减：每步把矩阵缩小“学习率 × 该系数”；按 y 处的权重计算
    power: step n weighs n to this power in the average ｜ 平均时第 n 步的权重为 n 的该次幂
    rate_power: a step weighs its rate to this power, so that those of a warm-up count less
        ｜ 平均时每步再按学习率的该次幂加权，使预热阶段占得少
    decay_norms: norms and biases decay too ｜ 归一化层与偏置也做权重衰减
    layer_decay: what each layer's rate is multiplied by, counted down from the top; 1 is one rate for all
        ｜ 逐层学习率衰减：从顶层往下，每层的学习率再乘一次该系数；1 为各层相同

    Formula: y = (1 − beta) z + beta x;  z ← z − lr · ∇L(y);  x ← x + c (z − x), c the step's share of all weights so far
    When it helps: trainings of unknown length: at every moment x is about what a decayed rate would have reached.
    What it costs: two numbers of state for each parameter; validation looks at x.
    When not to use it: with a schedule that decays: the averaging does that already.
    Failure signals: validation is far worse than training says: BatchNorm's statistics are those of y, not of x; a loss that jumps: the
    rate is too high for plain steps.
    Interactions: it is its own average, so `ema`, `swa` and `lookahead` have nothing to add; a warm-up is fine, any decay comes on top.

    Scope: 3.1

    中文: 免调度 SGD：以权重的加权平均代替学习率衰减，无需预先确定训练长度；验证与导出用平均权重。

    原理: 在 z 与平均 x 之间的 y 处求梯度，z 走普通的步，x 是 z 的加权平均；验证与导出用 x。
    公式: y = (1 − beta) z + beta x；z ← z − lr · ∇L(y)；x ← x + c (z − x)，c 为这一步在至今总权重中的份额
    何时有用: 训练长度未知：任何时刻的 x 都大致相当于学习率衰减后的结果。
    代价: 每个参数两个状态数；验证看的是 x。
    何时不用: 带衰减的调度：平均已经做了这件事。
    失效信号: 验证远差于训练：批归一化的统计量属于 y 而不是 x；损失跳变：学习率对普通的步来说太高。
    相互作用: 它自己就是平均，`ema`、`swa`、`lookahead` 无可补充；预热没有问题，衰减则是重复。
    """

    lr: Positive = 1.0

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        return ScheduleFreeSGDOptimizer(
            params, lr=self.lr, beta=self.beta, weight_decay=self.weight_decay, power=self.power, rate_power=self.rate_power,
            moves=0, weight_sum=0.0, lr_max=0.0,
        )  # fmt: skip


@dataclass
class ScheduleFreeAdamW(ScheduleFree):
    """Schedule-free AdamW: no decay of the rate, and no length of training to choose beforehand (Defazio et al. 2024).

    lr: learning rate; up to ten times what AdamW takes ｜ 学习率；最高可取 AdamW 的十倍
    beta: where between z (0) and x (1) the gradient is taken ｜ 在 z（0）与 x（1）之间何处求梯度
    beta2: decay of the running mean of the squared gradient ｜ 二阶矩（梯度平方滑动平均）的衰减系数
    eps: added to the root of the second moment ｜ 加在二阶矩平方根上的小量
    weight_decay: how much matrices shrink a step, as a multiple of the rate; taken at y
        ｜ 权重衰减：每步把矩阵缩小“学习率 × 该系数”；按 y 处的权重计算
    power: step n weighs n to this power in the average ｜ 平均时第 n 步的权重为 n 的该次幂
    rate_power: a step weighs its rate to this power, so that those of a warm-up count less
        ｜ 平均时每步再按学习率的该次幂加权，使预热阶段占得少
    decay_norms: norms and biases decay too ｜ 归一化层与偏置也做权重衰减
    layer_decay: what each layer's rate is multiplied by, counted down from the top; 1 is one rate for all
        ｜ 逐层学习率衰减：从顶层往下，每层的学习率再乘一次该系数；1 为各层相同

    Formula: as schedule_free_sgd, with z ← z − lr · ∇L(y) / (√v̂ + eps)
    When it helps: trainings of unknown length, with AdamW's scaling: the same recipe can be stopped or prolonged at any time.
    What it costs: three numbers of state for each parameter; validation looks at x.
    When not to use it: with a schedule that decays: the averaging does that already.
    Failure signals: validation is far worse than training says: BatchNorm's statistics are those of y, not of x; progress like AdamW at a
    constant rate: beta is too small.
    Interactions: it is its own average, so `ema`, `swa` and `lookahead` have nothing to add; `early_stop` is safe beside it, since every
    moment is an end.

    Scope: 3.1

    中文: 免调度 AdamW：以权重的加权平均代替学习率衰减，无需预先确定训练长度；验证与导出用平均权重。

    原理: 同免调度 SGD，只是 z 的步长除以 Adam 的二阶矩。
    公式: 同 schedule_free_sgd，但 z ← z − lr · ∇L(y) / (√v̂ + eps)
    何时有用: 训练长度未知、又要 AdamW 的缩放：同一配方可随时停止或延长。
    代价: 每个参数三个状态数；验证看的是 x。
    何时不用: 带衰减的调度：平均已经做了这件事。
    失效信号: 验证远差于训练：批归一化的统计量属于 y 而不是 x；进展与恒定学习率的 AdamW 无异：beta 太小。
    相互作用: 它自己就是平均，`ema`、`swa`、`lookahead` 无可补充；可放心配 `early_stop`，因为每一刻都可以是终点。
    """

    lr: Positive = 2.5e-3
    beta2: Rate = 0.999
    eps: Positive = 1e-8

    def __call__(self, params: Iterable[Any]) -> torch.optim.Optimizer:
        return ScheduleFreeAdamWOptimizer(
            params, lr=self.lr, beta=self.beta, beta2=self.beta2, eps=self.eps, weight_decay=self.weight_decay, power=self.power,
            rate_power=self.rate_power, moves=0, weight_sum=0.0, lr_max=0.0,
        )  # fmt: skip


class ScheduleFreeSGDOptimizer(Foreach):
    """Equations 1 to 3 of Defazio et al. 2024; the weight of a step is n^power times the largest rate so far, to the rate_power.

    State: `z` and `x`, like the parameter, which is y = (1 - beta) z + beta x. (x could be had from y and z; it is kept because it is what
    counts, and has then been rounded once a step only.) A group's `moves`, `weight_sum` and `lr_max` move.
    """

    reach = "number"
    moves_groups = True

    def fresh(self, p: Tensor, grad: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"z": p.detach().clone(), "x": p.detach().clone()}

    def directions(self, touched: Touched) -> list[Tensor]:
        """New tensors: where the loss rises at y."""
        return [grad.clone() for grad in touched.grads]

    def move(self, touched: Touched) -> None:
        group, points, lr = touched.group, touched.params, touched.group["lr"]
        stepping, averages = touched.of("z"), touched.of("x")
        updates = self.directions(touched)
        if group["weight_decay"]:
            torch._foreach_add_(updates, points, alpha=group["weight_decay"])
        group["lr_max"] = max(lr, group["lr_max"])
        group["moves"] += 1
        weight = group["moves"] ** group["power"] * group["lr_max"] ** group["rate_power"]
        group["weight_sum"] += weight
        share = weight / group["weight_sum"] if group["weight_sum"] else 0.0
        torch._foreach_add_(stepping, updates, alpha=-lr)
        torch._foreach_lerp_(averages, stepping, share)
        torch._foreach_copy_(points, torch._foreach_lerp(stepping, averages, group["beta"]))


class ScheduleFreeAdamWOptimizer(ScheduleFreeSGDOptimizer):
    """The same over Adam's second moment, corrected for its start. State: `z`, `x` and `exp_avg_sq`, like the parameter."""

    def fresh(self, p: Tensor, grad: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {**super().fresh(p, grad, group), "exp_avg_sq": zeros(p)}

    def directions(self, touched: Touched) -> list[Tensor]:
        second, beta2 = touched.of("exp_avg_sq"), touched.group["beta2"]
        torch._foreach_mul_(second, beta2)
        torch._foreach_addcmul_(second, touched.grads, touched.grads, 1 - beta2)
        scale = torch._foreach_div(second, [1 - beta2 ** state["step"] for state in touched.states])
        torch._foreach_sqrt_(scale)
        torch._foreach_add_(scale, touched.group["eps"])
        return list(torch._foreach_div(touched.grads, scale))
