"""What to do about a step whose loss or gradient is not finite: skip it, halt, or go back to sound weights (PaLM, Chowdhery et al. 2022).

In every case the step moves nothing, and the report names the samples and the first module that made it. `rollback` does what PaLM's
authors did by hand (section 5.1): weights from a while before, and on with the data that comes next.

Formula: if loss or gradient is not finite: w stays (skip), the run ends (halt), or w ← weights from at least `every` steps before
(rollback)
When it helps: always; every run has it with `skip`. `halt` where a bad row is a bug to be found; `rollback` for long runs that diverge now
and then.
What it costs: nothing that can be measured until a step goes wrong, then one more evaluation of it. `rollback` keeps two more copies of
weights and optimiser, in the checkpoints too.
When not to use it: `rollback` where bad rows come back in every epoch, since it goes back each time; take the rows out.
Failure signals: the same samples named again and again: a bad row; steps left out in every part of the data: the rate is too high, or fp16
is out of range.
Interactions: innermost by default, so it sees what all others evaluate; fp16's loss scale is lowered first and is nobody's fault; `clip`
and `clip_value` cannot mend what is not finite.

原理: 损失或梯度不是有限值的一步不移动任何东西；报告指出样本与最先出错的模块，并按策略跳过、停止或回到之前可靠的权重。
公式: 损失或梯度不是有限值时：w 不动（skip）、训练结束（halt），或 w ← 至少 `every` 步之前的权重（rollback）
何时有用: 总是有用，每次训练自带 `skip`。坏样本本身是错误、要找出来时用 `halt`；偶尔发散的长训练用 `rollback`。
代价: 出错之前测不出代价，出错时再做一次求值；`rollback` 多存两份权重与优化器状态，检查点里也有。
何时不用: 坏样本每个周期都会出现时不要用 `rollback`，因为每次都会回去；请把坏样本拿掉。
失效信号: 总是同一批样本被点名：坏样本；各处都有被跳过的步：学习率太高，或超出 fp16 的范围。
相互作用: 默认在最里层，因此看得到其他技巧的所有求值；fp16 的损失缩放会先降低，不算谁的错；`clip` 与 `clip_value` 救不回非有限的数。

Scope: 5.8, 5.10
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from danlu.build import alike, own
from danlu.core import Evaluate, Outcome, Reports, Run, Technique, Update
from danlu.culprit import Trace
from danlu.errors import Diverged, say
from danlu.fields import PositiveInt
from danlu.messages import HALTED, IN_TECHNIQUE, MORE_SAMPLES, ROLLED_BACK_IN_VAIN

NAMED = 16  # samples that a sentence names; the report has them all
RETURNS = 3  # to the same weights; a run that comes to nothing again would do so for ever


@dataclass
class Nonfinite(Technique):
    """Name the samples and the first module of a step that is not finite, and go on without it, halt, or go back.

    policy: skip leaves the step out; halt ends the run; rollback goes back to weights that have trained for `every` steps since
        ｜ skip 跳过这一步；halt 结束训练；rollback 回到此后又正常训练过 `every` 步的权重
    patience: steps in a row that must go wrong before rollback goes back ｜ 连续出错这么多步才回滚
    every: steps between two states that rollback keeps in memory ｜ rollback 在内存中留存状态的间隔步数
    中文: 损失或梯度不是有限值时：指出样本编号和最先出错的模块，并跳过、停止或回滚。
    """

    policy: Literal["skip", "halt", "rollback"] = "skip"
    patience: PositiveInt = 1
    every: PositiveInt = 100

    state: ClassVar = ("streak", "kept", "newer", "due", "returns")
    streak = due = returns = 0
    kept = newer = None  # type: dict[str, Any] | None  # what rollback goes back to; and what that will be once it has proved itself
    neutral: ClassVar = {"policy": "skip"}
    changes: ClassVar = "memory"

    def wrap_update(self, update: Update, run: Run) -> Update:
        self._found: dict[str, Any] = {}

        def watched(evaluate: Evaluate) -> Outcome:
            if self.policy == "rollback" and run.step >= self.due and not self.streak:
                fresh = self._moving(run)
                self.kept, self.newer, self.due, self.returns = self.newer or fresh, fresh, run.step + self.every, 0
            outcome = update(evaluate)
            self._found = {}
            if outcome.moved:
                self.streak = 0
            elif (found := self._culprit(evaluate, outcome, run)) is not None:
                self._went_wrong(run, *found)
            return outcome

        return watched

    def wrap_reports(self, reports: Reports, run: Run) -> Reports:
        for report in reports:
            report.metrics.update(self._found)
            yield report

    def _culprit(self, evaluate: Evaluate, outcome: Outcome, run: Run) -> tuple[str, list[int]] | None:
        """Where and in which samples numbers first were not finite; None if the loss scale alone was too high, which was lowered already.

        It looks again, without a loss scale and under the same random keys.
        """
        trace, precision, objective = Trace(), run.placement.precision, run.objective
        scale, precision.scale, run.objective = precision.scale, 1.0, trace.around(objective)
        try:
            with trace.watching(run.model):
                again = evaluate()
        finally:
            precision.scale, run.objective = scale, objective
        everyone = run.placement.everyone((trace.where, trace.ids, trace.all_ids))
        if where := next((where for where, _, _ in everyone if where), ""):
            return where, [sample for _, ids, _ in everyone for sample in ids]
        if outcome.scale > 1 and bool(again.finite):
            return None
        return say(IN_TECHNIQUE), [sample for _, _, ids in everyone for sample in ids]

    def _went_wrong(self, run: Run, where: str, ids: list[int]) -> None:
        named = {"step": run.step + 1, "where": where, "samples": ids, "ids": said(ids)}
        self._found = {"nonfinite_in": where, "nonfinite_ids": ids}
        if self.policy == "halt":
            raise Diverged(HALTED, **named)
        if self.policy != "rollback" or self.kept is None:
            return
        self.streak += 1
        if self.streak < self.patience:
            return
        if self.returns == RETURNS:
            raise Diverged(ROLLED_BACK_IN_VAIN, **named, count=RETURNS, kept=self.kept["step"])
        # the rates and the loss scale are of today
        groups = [{**old, "lr": now["lr"]} for old, now in zip(self.kept["optimizer"]["groups"], run.optimizer.param_groups)]
        today = {"optimizer": {**self.kept["optimizer"], "groups": groups}, "placement": run.placement.facts()}
        run.placement.load(run.model, run.optimizer, {**self.kept, **today})
        for name, technique in self._updating(run):
            for key in technique.state:
                setattr(technique, key, own(run, self.kept["techniques"][name][key], getattr(technique, key, None)))
        self.streak, self.newer, self.due, self.returns = 0, self.kept, run.step + 1 + self.every, self.returns + 1
        self._found["rolled_back_to"] = self.kept["step"]

    def _moving(self, run: Run) -> dict[str, Any]:
        """Copies of all that an update moves."""
        techniques = run.placement.gathered({name: {key: getattr(t, key) for key in t.state} for name, t in self._updating(run)})
        found = {"step": run.step, "techniques": techniques, **run.placement.state(run.model, run.optimizer)}
        return {key: alike(value, None, None) for key, value in found.items()}

    def _updating(self, run: Run) -> list[tuple[str, Technique]]:
        return [(name, t) for name, t in run.named_techniques() if t is not self and type(t).wrap_update is not Technique.wrap_update]

    @classmethod
    def example(cls) -> Nonfinite:
        return cls(policy="rollback", every=2)


def said(ids: list[int]) -> str:
    """Sample ids for a sentence: the first of them, and how many more there are."""
    few = ", ".join(map(str, ids[:NAMED]))
    return few if len(ids) <= NAMED else say(MORE_SAMPLES, ids=few, more=len(ids) - NAMED)
