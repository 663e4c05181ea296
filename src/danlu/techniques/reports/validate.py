"""Measure the model on validation data during training, and say when it is the best so far.

Formula: metric(weights) over the validation rows, after every `every` steps and at the end
When it helps: always; without it nobody knows what was learned.
What it costs: one forward over the validation rows each time.
When not to use it: never on the test rows; those are read once, at the end.
Failure signals: validation takes a visible share of the time: raise `every`; the metric jumps from look to look: too few rows to choose by.
Interactions: `early_stop`, `checkpoint` and `reduce_on_plateau` act on what it measures; `ema`, `swa` and `lookahead` offer an average,
which it then measures and marks as best.

原理: 每隔若干步在验证集上计算指标，不动训练的任何状态，并标记最好的一步。
公式: 每 `every` 步以及结束时：在验证集上计算 metric(w)
何时有用: 总是有用；有验证数据的训练自带它，每个周期一次。
代价: 对验证集做一次前向。
何时不用: 绝不要用在测试集上：测试集只在最后读一次。
失效信号: 验证占去可观的时间：增大 `every`；指标一次一个样：行数太少，不足以据此选择。
相互作用: `early_stop`、`checkpoint`、`reduce_on_plateau` 依据它的结果行事；`ema`、`swa`、`lookahead` 提供平均权重，
它便测量并据此标记最好。

Scope: 2.10, 7.1
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from danlu.core import Report, Reports, Run, Technique
from danlu.errors import BadInput
from danlu.fields import NonNegativeInt
from danlu.messages import WATCHED_MISSING
from danlu.metrics.score import score

_SMALLER_IS_BETTER = ("loss", "rmse", "mae", "perplexity", "bits_per_byte", "error", "nll")


def mode_of(watch: str) -> str:
    """ "min" for losses and errors, "max" for everything else."""
    return "min" if watch.removeprefix("val_").startswith(_SMALLER_IS_BETTER) else "max"


def better(value: float, best: float | None, mode: str, threshold: float = 0.0) -> bool:
    """Whether `value` improves on `best` by more than `threshold`."""
    if value != value:
        return False
    return best is None or (value < best - threshold if mode == "min" else value > best + threshold)


@dataclass
class Validate(Technique):
    """Add val_loss and the recipe's metrics to the report, every so many steps and after the last one.

    every: steps between two measurements; 0 is once an epoch ｜ 两次验证之间的步数；0 为每轮一次
    watch: the metric that decides which step is the best ｜ 用来判定哪一步最好的指标
    mode: whether small or large is better; auto knows losses and errors
        ｜ 越小越好（min）还是越大越好（max）；auto 自动判断：损失与误差越小越好，其余越大越好
    weights: measure the model's own weights, or an average that a technique keeps
        ｜ raw 验证模型自身的权重，ema 验证技巧所保存的平均权重；auto 有平均就用平均
    中文: 训练中定期在验证集上评估，并标记目前最好的一步。
    """

    every: NonNegativeInt = 0
    watch: str = "val_loss"
    mode: Literal["auto", "min", "max"] = "auto"
    weights: Literal["auto", "raw", "ema"] = "auto"

    state: ClassVar = ("best", "best_step")
    best = None  # type: float | None  # where the state starts
    best_step = 0
    neutral: ClassVar = {}
    changes: ClassVar = "reports"

    def wrap_reports(self, reports: Reports, run: Run) -> Reports:
        mode = mode_of(self.watch) if self.mode == "auto" else self.mode
        every = self.every or run.plan.steps_per_epoch
        run.kept_weights(self.weights)  # an average that nobody keeps is found missing now, not after the first steps
        for report in reports:
            if report.step % every == 0 or report.step == run.total:
                self._measure(report, run, mode)
            yield report

    def _measure(self, report: Report, run: Run, mode: str) -> None:
        report.metrics.update(score(run, run.data.val, "val_", run.kept_weights(self.weights)))
        if self.watch not in report.metrics:
            raise BadInput(WATCHED_MISSING, watch=self.watch, technique="validate", found=", ".join(sorted(report.metrics)))
        value = report.metrics[self.watch]
        if value is not None and better(value, self.best, mode):
            self.best, self.best_step = value, report.step
            report.save.add("best")
