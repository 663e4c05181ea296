"""Dropout rates that change during training: rising (Morerio et al. 2017, "Curriculum dropout"), falling (Rennie et al. 2014, "Annealed
dropout training"), early or late (Liu et al. 2023, "Dropout reduces underfitting").

Formula: p(step) = p · f(step / total): f rises as 1 − exp(−10 x), falls as 1 − x, or ends early or begins late
When it helps: early dropout where a net underfits, late or rising dropout where it overfits.
What it costs: nothing that can be measured.
When not to use it: before dropout itself has been tried at a constant rate.
Failure signals: a jump of the training loss where an early or late dropout ends or begins; no difference at all: the model's own rate is
too small to matter.
Interactions: needs a model with dropout, or it is refused; `early_stop` may end the run before a late dropout begins; label smoothing and
`mixup` regularise too, so tune the rate again beside them.

原理: 把模型中所有丢弃率（含随机深度）乘以一个只取决于步数的因子。
公式: p(step) = p · f(step / total)：f 按 1 − exp(−10 x) 上升、按 1 − x 下降，或提前结束、推迟开始
何时有用: 网络欠拟合时用早期丢弃，过拟合时用后期或渐升的丢弃。
代价: 测不出代价。
何时不用: 还没试过恒定丢弃率的时候。
失效信号: 早期丢弃结束或后期丢弃开始时训练损失出现跳变；若毫无差别，说明模型自身的丢弃率太小。
相互作用: 模型里必须有丢弃层，否则拒绝；`early_stop` 可能在后期丢弃开始之前就结束训练；标签平滑与 `mixup` 也是正则，同用时要重新调丢弃率。

Scope: 2.8
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import ClassVar, Literal

from torch import nn

from danlu.core import Batch, Loss, Objective, Run, Technique
from danlu.errors import BadInput, Sentence
from danlu.fields import Fraction
from danlu.nets.dropout import Dropout

NO_DROPOUT = Sentence(
    "dropout_schedule found no dropout with a rate above 0 in the model; set the model's dropout or drop_path, or take the technique out",
    "dropout_schedule 在模型中没有找到丢弃率大于 0 的 dropout；请设置模型的 dropout 或 drop_path，或去掉该技巧",
)


@dataclass
class DropoutSchedule(Technique):
    """Multiply the rate of every dropout in the model, stochastic depth included, by a factor that depends on the step alone.

    shape: rise (1 - exp(-10 x) over the share x of steps done), fall (1 - x), early (falls to 0 by `share`), late (0 until `share`)
        ｜ rise 渐升（1 - exp(-10 x)，x 为已走步数的比例），fall 渐降（1 - x），early 到 `share` 处降为 0，late 到 `share` 处之前为 0
    share: of the steps: when early ends, or late begins ｜ 占总步数的比例：early 到此结束，late 从此开始
    中文: 按训练进度调整丢弃率（含随机深度）：渐升、渐降、只在前期或只在后期。
    """

    shape: Literal["rise", "fall", "early", "late"] = "rise"
    share: Fraction = 0.2

    neutral: ClassVar = "each shape has steps with another rate than the model's own"

    def factor(self, done: float) -> float:
        """At a share `done` of the steps."""
        if self.shape == "rise":
            return 1 - exp(-10 * done)
        if self.shape == "late":
            return float(done >= self.share)
        end = 1.0 if self.shape == "fall" else self.share
        return max(0.0, 1 - done / end) if end else 0.0

    def wrap_objective(self, objective: Objective, run: Run) -> Objective:
        found = [(m, m.p) for m in run.model.modules() if isinstance(m, Dropout | nn.modules.dropout._DropoutNd) and m.p > 0]
        if not found:
            raise BadInput(NO_DROPOUT)

        def scheduled(model: nn.Module, batch: Batch) -> Loss:
            factor = self.factor(batch.step / run.total)
            for module, rate in found:  # by the step, so that every look in it sees the same rate; backward may look again, so it stays
                module.p = rate * factor
            return objective(model, batch)

        return scheduled
