"""The innermost update: the only place where parameters, buffers, rates and the loss scale move, exactly once a step.

A step whose gradient is not finite moves nothing. Optimisers that evaluate the loss themselves (L-BFGS) are known by their signature:
`step(closure)` without a default.
"""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from danlu import messages

if TYPE_CHECKING:
    from danlu.core import Evaluate, Outcome, Run, Update


def drive(run: Run) -> Update:
    from danlu.core import Technique

    optimizer, placement = run.optimizer, run.placement
    rates = [group["lr"] for group in optimizer.param_groups]
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    searches = closure is not None and closure.default is inspect.Parameter.empty

    told = False  # once a run is enough to say that a line search found nothing
    shaped = any(type(t).wrap_gradient is not Technique.wrap_gradient for t in run.techniques)
    parameters = run.trainable()

    def rechecked(evaluate: Evaluate) -> Outcome:
        outcome = evaluate()
        outcome.overflow = outcome.overflow + placement.overflow(parameters)  # what a technique made of a finite gradient
        return outcome

    def descend(evaluate: Evaluate) -> Outcome:
        nonlocal told
        if shaped:
            evaluate = partial(rechecked, evaluate)
        if run.schedule is not None:  # before the gradient, since a trust region is the length of the step that comes
            share = run.schedule(run.step)
            for group, rate in zip(optimizer.param_groups, rates):
                group["lr"] = rate * share
        outcome = evaluate()
        finite = outcome.overflow.item() == 0  # the one host read of a step; backward is already enqueued
        if finite and searches:
            finite, lower = _search(run, outcome, evaluate)
            if not (lower or told):
                placement.notice("line_search", messages.NOTHING_LOWER, step=run.step + 1)
                told = True
            outcome.overflow = torch.full_like(outcome.overflow, 0.0 if finite else 1.0)
        elif finite:
            placement.step(optimizer)
        outcome.moved = finite
        placement.finish(finite)
        return outcome

    return descend


def _search(run: Run, outcome: Outcome, evaluate: Evaluate) -> tuple[bool, bool]:
    """A line search asks again. Whether it ended where numbers are finite, and whether it found a lower loss where there is one.

    One that ends where numbers are not finite is undone. Where they are not on its way, it is told of a rise as steep as the fall that it
    started with, so it halves its step (an infinite loss makes torch's strong Wolfe search try a NaN, and give up). After what went wrong
    its history is dropped: it starts afresh.
    """
    parameters, group, full = run.trainable(), run.optimizer.param_groups[0], run.placement.full
    before = [p.detach().clone() for p in parameters]
    slopes = [p.grad.clone() if p.grad is not None else torch.zeros_like(p) for p in parameters]
    known, last, sound = [outcome], outcome, True

    def ask() -> Any:
        nonlocal last, sound
        last = known.pop() if known else evaluate()
        if bool(last.finite):
            return last.loss
        sound = False
        for p, slope in zip(parameters, slopes):
            p.grad = -slope
        return outcome.loss

    run.placement.step(run.optimizer, ask)
    finite = bool(torch.stack([full(p.detach()).isfinite().all() for p in parameters]).all())
    wolfe = group.get("line_search_fn") is not None
    if finite and not (wolfe and bool(last.finite)):  # where it ended was tried last, tried before, or not at all: one more look tells
        finite = bool(evaluate().finite)
    if not finite:
        with torch.no_grad():
            for p, old in zip(parameters, before):
                p.copy_(old)
    pairs = [(full(p.detach()), full(old)) for p, old in zip(parameters, before)]  # whole first: all processes take part
    still = all(torch.equal(now, old) for now, old in pairs)
    lower = not still or not finite or _lowest(torch.cat([full(slope).flatten() for slope in slopes]), outcome.loss, group)
    if not finite or not lower or not (sound or wolfe):
        run.optimizer.state.clear()
    return finite, lower


def _lowest(slopes: Tensor, loss: Tensor, group: dict[str, Any]) -> bool:
    """Whether a search has no need to go on: its own tolerances say so, or no difference of losses could be told from rounding."""
    rounding = 1e3 * torch.finfo(loss.dtype).eps * abs(float(loss))
    steep, square = float(slopes.abs().max()), float(slopes.square().sum())
    return bool(steep <= group.get("tolerance_grad", 0.0) or square <= max(group.get("tolerance_change", 0.0), rounding))
