"""Save the whole state of the run now and then, so that it can go on after anything.

When it helps: every run that takes longer than one wants to lose. What it costs: the write; see `bench/loop.py`.
When not to use it: in throw-away runs of seconds; the last and the best step are saved without it.
Scope: 12.2
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from danlu.core import Reports, Run, Technique
from danlu.fields import PositiveInt


@dataclass
class Checkpoint(Technique):
    """Ask for a save every `every` steps; the run folder keeps the newest `keep` of them, and the best.

    every: steps between two saves
    keep: how many of the newest stay on disk
    中文: 每隔若干步保存一次完整状态，以便随时续训。
    """

    every: PositiveInt = 1000
    keep: PositiveInt = 2

    neutral: ClassVar = {}
    changes: ClassVar = "files"

    def wrap_reports(self, reports: Reports, run: Run) -> Reports:
        for report in reports:
            if report.step % self.every == 0:
                report.save.add("latest")
            yield report

    @classmethod
    def example(cls) -> Checkpoint:
        return cls(every=2)
