"""Save the whole state of the run now and then, so that it can go on after anything.

Formula: at step n with n mod every = 0 (or once `every` has passed on the clock): the whole state, to disk
When it helps: every run that takes longer than one wants to lose.
What it costs: the write; see `bench/reliability.py`.
When not to use it: in throw-away runs of seconds; the last and the best step are saved without it.
Failure signals: a run that waits for the disk: the saves come too often or are too large (`background=true` takes them out of the way); a
resumed run that starts from an older step than expected.
Interactions: `validate` marks the best step, which is saved as well; `nonfinite` with rollback, `ema` and `swa` make each save larger by
their copies.

原理: 每隔若干步或一段时间把整个状态写到磁盘；最新、最好与里程碑式的检查点会保留下来。
公式: 第 n 步满足 n mod every = 0（或时间过了 `every`）时：把整个状态写到磁盘
何时有用: 凡是时间长到不愿丢掉的训练。
代价: 写盘时间；见 `bench/reliability.py`。
何时不用: 几秒钟就丢弃的试跑：最后一步与最好一步不用它也会保存。
失效信号: 训练在等磁盘：存得太勤或太大（可用 `background=true`）；续训时的步数比预期的早。
相互作用: 最好的一步由 `validate` 标记，也会保存；`nonfinite` 的回滚、`ema` 与 `swa` 会让每次保存多出各自的副本。

Scope: 12.2
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar, Literal

from danlu.core import Report, Reports, Run, Technique
from danlu.errors import BadInput
from danlu.fields import Duration, PositiveInt, seconds
from danlu.messages import WATCHED_MISSING
from danlu.techniques.reports.validate import mode_of


@dataclass
class Checkpoint(Technique):
    """Ask for a save every so many steps, or every so often; the run folder keeps the newest, the best, and milestones.

    every: steps between two saves, or the time, such as 30m ｜ 两次保存之间的步数，或时间，如 30m
    keep: how many of the newest stay on disk ｜ 磁盘上保留最新的几个
    best: how many of the best by `watch` stay ｜ 按 `watch` 保留最好的几个
    milestones: checkpoints of every so many steps stay for good; null for none ｜ 每隔这么多步的检查点永久保留；null 为不保留
    watch: the metric that ranks them ｜ 用来排名的指标
    mode: whether small or large is better; auto knows losses and errors
        ｜ 越小越好（min）还是越大越好（max）；auto 自动判断：损失与误差越小越好，其余越大越好
    background: copy the state and go on while it is written; an error is raised within a step
        ｜ 后台保存：复制状态后继续训练，同时写盘；出错会在一步之内报告
    中文: 每隔若干步或一段时间保存一次完整状态，以便随时续训；保留最新、最好和里程碑式的检查点。
    """

    every: PositiveInt | Duration = 1000
    keep: PositiveInt = 2
    best: PositiveInt = 1
    milestones: PositiveInt | None = None
    watch: str = "val_loss"
    mode: Literal["auto", "min", "max"] = "auto"
    background: bool = False

    state: ClassVar = ("ranked",)
    ranked = ()  # type: tuple[tuple[float, int], ...]  # (value, step) of the best, the best one first
    neutral: ClassVar = {}
    changes: ClassVar = "files"

    def wrap_reports(self, reports: Reports, run: Run) -> Reports:
        steps, pause = (self.every, 0.0) if isinstance(self.every, int) else (0, seconds(self.every))
        saved = time.monotonic()
        for report in reports:
            due = report.step % steps == 0 if steps else bool(run.placement.most(int(time.monotonic() - saved >= pause)))  # clocks differ
            if due or (self.milestones and report.step % self.milestones == 0) or self._ranks(report):
                report.save.add("latest")
                saved = time.monotonic()
            yield report

    def _ranks(self, report: Report) -> bool:
        """Whether this step is among the best so far; only asked for more than the one that validation marks."""
        if self.best == 1 or "val_loss" not in report.metrics:
            return False
        if self.watch not in report.metrics:
            raise BadInput(WATCHED_MISSING, watch=self.watch, technique="checkpoint", found=", ".join(sorted(report.metrics)))
        value = report.metrics[self.watch]
        if value is None or value != value:
            return False
        sign = 1 if (mode_of(self.watch) if self.mode == "auto" else self.mode) == "min" else -1
        entry = (float(value), report.step)
        self.ranked = tuple(sorted([*self.ranked, entry], key=lambda found: (sign * found[0], found[1]))[: self.best])
        return entry in self.ranked

    def stays(self, step: int) -> bool:
        """Whether the checkpoint of an earlier step is one to keep, however old it is."""
        return any(step == ranked for _, ranked in self.ranked) or bool(self.milestones and step % self.milestones == 0)

    @classmethod
    def example(cls) -> Checkpoint:
        return cls(every=2)
