"""Stop when validation stops improving, and go back to the best weights (Prechelt 1998, "Early stopping, but when?").

Formula: stop when the best of `watch` is older than `patience` looks; restore the weights of that look
When it helps: small data, where a longer training only fits noise; and to save the time of hopeless runs.
What it costs: one copy of the best weights.
When not to use it: with a schedule that decays to the end; the best part of such a run is its end.
Failure signals: it stops within the first looks: patience is shorter than the noise of the metric; it never stops: the metric still creeps
up, or is not the one that matters.
Interactions: a schedule that decays to the end is cut off at a high rate, so take one or the other; `validate` gives the looks; with `ema`
or `swa` the average is what is watched.

原理: 容忍验证指标连续 `patience` 次没有改善，再有一次就停止，并恢复最好的权重。
公式: 当 `watch` 的最好值距今已超过 `patience` 次验证，就停止；恢复那一次的权重
何时有用: 小数据，训练太久只会拟合噪声；也能省下没有希望的训练。
代价: 一份最好权重的副本。
何时不用: 学习率一直降到结尾的调度：这种训练最好的部分正是结尾。
失效信号: 头几次验证就停了：耐心短于指标的噪声；永不停止：指标仍在缓慢上升，或它并非真正关心的指标。
相互作用: 会在学习率还高时截断降到结尾的调度，两者取一；`validate` 提供观察；与 `ema` 或 `swa` 同用时，看的是平均权重。

Scope: 2.10
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from danlu.core import Reports, Run, Technique
from danlu.errors import BadInput
from danlu.fields import NonNegative, NonNegativeInt
from danlu.messages import WATCHED_MISSING
from danlu.techniques.reports.validate import better, mode_of


@dataclass
class EarlyStop(Technique):
    """End the run when `watch` has not improved for more than `patience` measurements, or when another stop condition is met.

    watch: a metric of the reports ｜ 所看的指标，取自报告
    mode: whether small or large is better; auto knows losses and errors
        ｜ 越小越好（min）还是越大越好（max）；auto 自动判断：损失与误差越小越好，其余越大越好
    patience: measurements without improvement that are borne ｜ 耐心：容忍多少次没有改善的验证
    threshold: an improvement must be larger than this ｜ 改善须大于此值才算数
    target: stop as soon as the metric is this good; null for never ｜ 指标一达到此值就停止；null 为不用
    diverges: stop as soon as the metric is this bad; one that is not finite stops in any case ｜ 指标一差到此值就停止；不是有限值时总会停止
    minutes: stop after this many minutes of training; null for never ｜ 训练满这么多分钟就停止；null 为不限
    restore: put the best weights back at the end ｜ 结束时恢复最好的权重
    中文: 验证指标不再改善时停止训练，并恢复最好的权重。
    """

    watch: str = "val_loss"
    mode: Literal["auto", "min", "max"] = "auto"
    patience: NonNegativeInt = 5
    threshold: NonNegative = 0.0
    target: float | None = None
    diverges: float | None = None
    minutes: NonNegative | None = None
    restore: bool = True

    state: ClassVar = ("best", "best_step", "waited", "best_weights", "seconds", "stopped")
    # Where the state starts, held by the class: readable before the first report, and no field. A loaded state shadows it.
    best = None  # type: float | None
    best_step = waited = 0
    best_weights = None  # type: dict[str, torch.Tensor] | None
    seconds = 0.0
    stopped = ""
    neutral: ClassVar = {"patience": 10**9, "restore": False}
    changes: ClassVar = "reports"

    def wrap_reports(self, reports: Reports, run: Run) -> Reports:
        mode = mode_of(self.watch) if self.mode == "auto" else self.mode
        if self.stopped:  # a run that ended is resumed: it stays ended
            return
        clock = time.monotonic()
        for report in reports:
            now = time.monotonic()
            self.seconds, clock = self.seconds + now - clock, now
            if self.watch.startswith("val_") and self.watch not in report.metrics and "val_loss" in report.metrics:
                raise BadInput(WATCHED_MISSING, watch=self.watch, technique="early_stop", found=", ".join(sorted(report.metrics)))
            value = report.metrics.get(self.watch)
            if value is not None:
                self._judge(value, report.step, run, mode)
            if self.minutes is not None and run.placement.most(int(self.seconds > 60 * self.minutes)):  # clocks differ
                self.stopped = "time"
            if self.stopped or report.step == run.total:
                self._restore(run)
                if self.stopped:
                    report.metrics["stopped"] = self.stopped
                report.save.add("latest")
            yield report
            if self.stopped:
                return

    def _judge(self, value: float, step: int, run: Run, mode: str) -> None:
        sign = 1.0 if mode == "min" else -1.0
        if better(value, self.best, mode, self.threshold):
            self.best, self.best_step, self.waited = value, step, 0
            if self.restore:
                self.best_weights = {name: tensor.clone() for name, tensor in (run.kept_weights("auto", whole=True) or {}).items()}
        else:
            self.waited += 1
        if self.target is not None and sign * value <= sign * self.target:
            self.stopped = "target"
        elif not math.isfinite(value) or (self.diverges is not None and sign * value >= sign * self.diverges):
            self.stopped = "diverged"
        elif self.waited > self.patience:
            self.stopped = "patience"

    def _restore(self, run: Run) -> None:
        if not self.restore or self.best_weights is None:
            return
        run.placement.load_weights(run.model, self.best_weights)
        with torch.no_grad():
            for name, average in (run.kept_weights("auto") or {}).items():  # what was validated is what is exported
                run.placement.put_in(average, self.best_weights[name])

    @classmethod
    def example(cls) -> EarlyStop:
        return cls(patience=0, threshold=1e9)
