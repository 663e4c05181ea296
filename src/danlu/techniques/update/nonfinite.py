"""What to do about a step whose loss or gradient is not finite: skip it, halt, or roll back. It never moves a parameter in any case.

When it helps: always; every run has it with `skip`. `halt` for runs where a bad row is a bug; `rollback` for long runs that diverge now and then
(PaLM restarted some 100 steps before each loss spike and left out the batches around it: Chowdhery et al. 2022, section 5.1).
What it costs: nothing until a step goes wrong, then one more look at that batch; `rollback` keeps a second copy of weights and optimiser.
When not to use it: `rollback` where a bad row comes back in every epoch; take the row out.
Scope: 12.2
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from danlu.build import alike
from danlu.core import Batch, Evaluate, Objective, Outcome, Reports, Run, Technique, Update
from danlu.errors import Diverged, say
from danlu.fields import PositiveInt
from danlu.messages import HALTED, IN_GRADIENT, IN_INPUTS, IN_LOSS, IN_MODULE, IN_TECHNIQUE

NAMED = 16  # sample ids that are named at most


@dataclass
class Nonfinite(Technique):
    """Name the samples and the first module of a step that is not finite, and go on without it, halt, or go back.

    policy: skip leaves the step out; halt ends the run; rollback puts weights and optimiser back to where they were sound, and goes on from there
    patience: steps in a row that must go wrong before rollback goes back
    every: steps between two states that rollback keeps in memory; the newer one is put back
    中文: 损失或梯度不是有限值时：指出样本编号和最先出错的模块，并跳过、停止或回滚。
    """

    policy: Literal["skip", "halt", "rollback"] = "skip"
    patience: PositiveInt = 1
    every: PositiveInt = 100

    state: ClassVar = ("streak", "kept", "kept_step")
    streak = kept_step = 0
    kept = None  # type: dict[str, Any] | None
    neutral: ClassVar = {"policy": "skip"}
    changes: ClassVar = "memory"

    def wrap_objective(self, objective: Objective, run: Run) -> Objective:
        self._plain, self._step, self._batches = objective, -1, dict[int, Batch]()

        def remembered(model: nn.Module, batch: Batch) -> Any:
            if batch.step != self._step:
                self._step, self._batches = batch.step, {}
            self._batches[batch.place] = batch
            return objective(model, batch)

        return remembered

    def wrap_update(self, update: Update, run: Run) -> Update:
        def watched(evaluate: Evaluate) -> Outcome:
            if self.policy == "rollback" and (self.kept is None or (run.step % self.every == 0 and not self.streak)):
                self.kept, self.kept_step = self._moving(run), run.step
            outcome = update(evaluate)
            self._found: dict[str, Any] = {}
            if outcome.moved:
                self.streak = 0
            elif outcome.scale == 1.0 or not bool(torch.isfinite(outcome.loss)):  # else the loss scale was too high, and has been lowered
                self._went_wrong(run)
            return outcome

        return watched

    def wrap_reports(self, reports: Reports, run: Run) -> Reports:
        self._found = {}
        for report in reports:
            report.metrics.update(self._found)
            yield report

    def _went_wrong(self, run: Run) -> None:
        self.streak += 1
        where, ids = culprit(run, self._plain, self._batches.values())
        self._found = {"broken_in": where, "broken_ids": ids}
        if self.policy == "halt":
            raise Diverged(HALTED, step=run.step + 1, where=where, ids=", ".join(map(str, ids)))
        if self.policy == "rollback" and self.streak >= self.patience and self.kept is not None:
            own = {"placement": run.placement.facts()}  # the loss scale is of today
            run.placement.load(run.model, run.optimizer, {**self.kept, **own})
            for name, technique in self._updating(run):
                for key in technique.state:
                    setattr(technique, key, alike(self.kept["techniques"][name][key], getattr(technique, key, None), run.placement.device))
            self.streak = 0
            self._found["rolled_back_to"] = self.kept_step

    def _moving(self, run: Run) -> dict[str, Any]:
        """Copies of all that an update moves."""
        techniques = {name: {key: getattr(t, key) for key in t.state} for name, t in self._updating(run)}
        found: dict[str, Any] = alike({**run.placement.state(run.model, run.optimizer), "techniques": techniques}, None, None)
        return found

    def _updating(self, run: Run) -> list[tuple[str, Technique]]:
        return [(name, t) for name, t in run.named_techniques() if t is not self and type(t).wrap_update is not Technique.wrap_update]

    @classmethod
    def example(cls) -> Nonfinite:
        return cls(policy="rollback", every=2)


def culprit(run: Run, objective: Objective, batches: Iterable[Batch]) -> tuple[str, list[int]]:
    """Look again at a step that went wrong: where numbers first were not finite, in words, and the sample ids (at most `NAMED`).

    objective: the innermost one, under the same random keys. Leaves parameters and buffers as they are, and no gradient.
    """
    names = {module: name for name, module in run.model.named_modules()}
    look, parameters = run.placement.gradient(run.model), list(run.model.named_parameters())
    batches = list(batches)
    try:
        for batch in batches:
            if (rows := _bad_rows(batch.inputs, len(batch.ids))) is not None:
                return say(IN_INPUTS), _ids(batch, rows)
            first: list[tuple[str, Tensor]] = []

            def watch(module: nn.Module, inputs: Any, output: Any, first: Any = first, rows: int = len(batch.ids)) -> None:
                if not first and (bad := _bad_rows(output, rows)) is not None:
                    first.append((names[module] or type(module).__name__, bad))

            hooks = [module.register_forward_hook(watch) for module in names]
            try:
                outcome = look(objective, [batch])
            finally:
                for hook in hooks:
                    hook.remove()
            if first:
                return say(IN_MODULE, module=first[0][0]), _ids(batch, first[0][1])
            if not bool(torch.isfinite(outcome.loss)):
                return say(IN_LOSS), _ids(batch, None)
            for name, p in reversed(parameters):
                if p.grad is not None and not bool(torch.isfinite(p.grad).all()):
                    return say(IN_GRADIENT, name=name), _ids(batch, None)
        return say(IN_TECHNIQUE), [i for batch in batches for i in _ids(batch, None)][:NAMED]
    finally:
        for _, p in parameters:
            p.grad = None


def _bad_rows(tree: Any, rows: int) -> Tensor | None:
    """Which rows hold a number that is not finite: [rows] bool; None when all are finite. All, where rows are not the first dimension."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list | tuple):
        return next((bad for item in tree if (bad := _bad_rows(item, rows)) is not None), None)
    if not isinstance(tree, Tensor) or not tree.is_floating_point():
        return None
    bad = ~torch.isfinite(tree.detach())
    if not bool(bad.any()):
        return None
    return bad.flatten(1).any(1) if bad.dim() > 1 and len(bad) == rows else bad if bad.shape == (rows,) else bad.new_ones(rows)


def _ids(batch: Batch, rows: Tensor | None) -> list[int]:
    found: list[int] = (batch.ids if rows is None else batch.ids[rows])[:NAMED].tolist()
    return found
