"""The innermost update: the only place where parameters, buffers, rates and the loss scale move, exactly once a step.

A step whose gradient is not finite moves nothing. Optimisers that evaluate the loss themselves (L-BFGS) are known by their signature:
`step(closure)` without a default.
"""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from danlu.core import Evaluate, Outcome, Run, Update


def drive(run: Run) -> Update:
    from danlu.core import Technique

    optimizer, placement = run.optimizer, run.placement
    rates = [group["lr"] for group in optimizer.param_groups]
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    searches = closure is not None and closure.default is inspect.Parameter.empty

    shaped = any(type(t).wrap_gradient is not Technique.wrap_gradient for t in run.techniques)
    parameters = run.trainable()

    def rechecked(evaluate: Evaluate) -> Outcome:
        outcome = evaluate()
        outcome.overflow = outcome.overflow + placement.overflow(parameters)  # what a technique made of a finite gradient
        return outcome

    def descend(evaluate: Evaluate) -> Outcome:
        if shaped:
            evaluate = partial(rechecked, evaluate)
        if run.schedule is not None:  # before the gradient, since a trust region is the length of the step that comes
            share = run.schedule(run.step)
            for group, rate in zip(optimizer.param_groups, rates):
                group["lr"] = rate * share
        outcome = evaluate()
        finite = outcome.overflow.item() == 0  # the one host read of a step; backward is already enqueued
        if finite and searches:
            finite = _search(run, outcome, evaluate)
            outcome.overflow = torch.full_like(outcome.overflow, 0.0 if finite else 1.0)
        elif finite:
            optimizer.step()
        outcome.moved = finite
        placement.finish(finite)
        return outcome

    return descend


def _search(run: Run, outcome: Outcome, evaluate: Evaluate) -> bool:
    """A line search asks again. One that ends where numbers are not finite is undone, and its history dropped: it starts afresh.

    It is told that the loss is infinite wherever numbers are not finite, and backs off: torch's strong Wolfe search fails on a NaN with an
    IndexError.
    """
    parameters = run.trainable()
    before = [p.detach().clone() for p in parameters]
    known, last = [outcome], outcome

    def ask() -> Any:
        nonlocal last
        last = known.pop() if known else evaluate()
        return last.loss if bool(last.finite) else torch.full_like(last.loss, torch.inf)

    run.optimizer.step(ask)
    finite = bool(torch.stack([p.detach().isfinite().all() for p in parameters]).all())
    if finite and not bool(last.finite):  # either a point that was tried and given up, or where the search ended: one more look tells
        finite = bool(evaluate().finite)
    if not finite:
        with torch.no_grad():
            for p, old in zip(parameters, before):
                p.copy_(old)
        run.optimizer.state.clear()
    return finite
