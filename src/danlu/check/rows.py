"""Are rows what their numbers say? Fetched together, one by one and in another order, each must bring the same inputs and targets."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from danlu import messages
from danlu.check.certificate import FAILED, NOTE, OK, Line, line
from danlu.check.trial import Trial
from danlu.keys import mix
from danlu.losses.parts import mapped

ROWS = 16


def rows(trial: Trial) -> Line:
    """Inputs and targets that do not stay together train on wrong labels, and no loss would tell."""
    part = trial.rows
    ids = torch.arange(min(ROWS, len(part)))
    draw = mix(trial.recipe.seed, "fetch", 0)
    together, order = part.again(ids, draw), torch.arange(len(ids) - 1, -1, -1)
    turned = part.again(ids[order], draw)
    alone = [part.again(ids[k : k + 1], draw) for k in range(min(4, len(ids)))]
    wrong = {}
    for name, side in (("inputs", 0), ("targets", 1)):
        pairs = [(_at(together[side], order), turned[side])]
        pairs += [(_at(together[side], ids[k : k + 1]), one[side]) for k, one in enumerate(alone)]
        if not all(_same(*pair) for pair in pairs):
            wrong[name] = messages.CHECK_INPUTS if name == "inputs" else messages.CHECK_TARGETS
    plan = trial.fresh.plan
    epoch = torch.cat([plan.ids(step) for step in range(plan.steps_per_epoch)])
    if not torch.equal(epoch.sort().values, torch.arange(len(part))):
        return line("rows", FAILED, messages.CHECK_ROWS_ONCE, rows=len(part), seen=len(epoch.unique()))
    if "targets" in wrong:
        return line("rows", FAILED, messages.CHECK_ROWS_DIFFER, rows=len(ids), what=wrong["targets"])
    if wrong:
        return line("rows", NOTE, messages.CHECK_ROWS_DRAWN, rows=len(ids))
    return line("rows", OK, messages.CHECK_ROWS_OK, rows=len(ids))


def _at(tree: Any, ids: Tensor) -> Any:
    return mapped(lambda x: x[ids], tree)


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_same(value, right[key]) for key, value in left.items())
    if isinstance(left, tuple | list):
        return all(_same(*pair) for pair in zip(left, right, strict=True))
    return left.shape == right.shape and bool(torch.equal(left, right) or torch.allclose(left, right, equal_nan=True))
