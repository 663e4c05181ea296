"""A micro-batch that does not fit in memory is evaluated in halves, from then on; the step stays the step that it was.

Its samples, what the stream techniques made of them, its denominators and its random keys do not change; only how many rows are evaluated
together does. That is the same sum in another order, where rows do not look at each other. Where they do (a loss over the batch, BatchNorm
without groups of a stated size) the run stops and says so; where the model draws random numbers of its own, a sentence says so first.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn

from danlu import messages
from danlu.errors import NoMemory
from danlu.placement.norms import SyncedBatchNorm

if TYPE_CHECKING:
    from danlu.core import Batch, Outcome, Run
    from danlu.losses.criterion import Criterion
    from danlu.placement.looking import Looking

Found = TypeVar("Found")

# What allocators of which torch makes no OutOfMemoryError say: the CPU's, Apple's, cuBLAS's, the drivers'.
_SAID = ("can't allocate memory", "out of memory", "ALLOC_FAILED")


def looked(run: Run, batches: list[Batch]) -> Outcome:
    """The gradient of a step, over `batches`, which are cut where they do not fit in memory. Raises NoMemory where they cannot be cut."""
    while True:
        try:
            outcome: Outcome = run.gradient(run.objective, batches)
            return outcome
        except (MemoryError, RuntimeError) as error:
            reason = _reason(error)
        # Outside of the clause, so that the error, and with it everything that the evaluation held, is gone.
        for p in run.trainable():
            p.grad = None
        release(run.placement.device)
        rows, draws = max(len(batch.ids) for batch in batches), None
        while draws is None:  # what does not even fit without a gradient is not tried with one
            rows = run.placement.step_rows = _fewer(run, rows, reason)
            batches[:] = run._take(iter(batches))
            draws = _draws(run, batches[0])
        sentence = messages.HALVED_DRAWS if draws else messages.HALVED
        run.placement.notice("halved", sentence, step=run.step + 1, rows=rows, reason=reason)


def glanced(placement: Looking, rows: int, look: Callable[[int], Found], criterion: Criterion | None = None) -> Found:
    """What `look(rows)` finds outside a step, `rows` at a time, or as many as fit in memory. Raises NoMemory where that is not one.

    criterion: whose loss is part of what is found; one that is taken over the whole batch would not be the same.
    """
    while True:
        rows = min(rows, placement.look_rows or rows)
        try:
            return look(rows)
        except (MemoryError, RuntimeError) as error:
            reason = _reason(error)
        release(placement.device)
        if criterion is not None and criterion.over == "batch":
            raise NoMemory(messages.NO_MEMORY_LOSS, rows=rows, loss=criterion.loss_name, reason=reason)
        if rows == 1:
            raise NoMemory(messages.NO_MEMORY, rows=rows, reason=reason)
        placement.look_rows = -(-rows // 2)
        placement.notice("halved", messages.HALVED_LOOK, rows=placement.look_rows, reason=reason)


def parts(batch: Batch, rows: int) -> list[Batch]:
    """The batch in parts of at most `rows` rows: views, in order. Only the last part of a step's last batch is the last."""
    there = len(batch.ids)
    if there <= rows:
        return [batch]
    return [
        replace(
            batch,
            inputs=_cut(batch.inputs, start, start + rows),
            targets=_cut(batch.targets, start, start + rows),
            ids=batch.ids[start : start + rows],
            place=batch.place + (start << 10),  # a key of its own, whatever was cut before
            last=batch.last and start + rows >= there,
            counts={"rows": min(rows, there - start)},
        )
        for start in range(0, there, rows)
    ]


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on whatever device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _SAID)


def _reason(error: BaseException) -> str:
    """What the allocator said, in one line; any other error is raised again."""
    if not out_of_memory(error):
        raise error
    return (" ".join(str(error).split()) or type(error).__name__)[:200]


def _fewer(run: Run, rows: int, reason: str) -> int:
    """Half of `rows`, in whole groups of a ghost norm. Raises NoMemory where fewer cannot be evaluated, or would not be the same."""
    if run.criterion.over == "batch":
        raise NoMemory(messages.NO_MEMORY_LOSS, rows=rows, loss=run.criterion.loss_name, reason=reason)
    group = 1
    for name, module in run.model.named_modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm | SyncedBatchNorm):
            raise NoMemory(messages.NO_MEMORY_NORM, rows=rows, layer=name or "model", reason=reason)
        group = math.lcm(group, getattr(module, "ghost", 1))
    half = -(-rows // (2 * group)) * group
    if half >= rows:
        raise NoMemory(messages.NO_MEMORY_GROUP if rows > 1 else messages.NO_MEMORY, rows=rows, reason=reason)
    return half


def _draws(run: Run, batch: Batch) -> bool | None:
    """Whether the model draws from torch's own generator, which is keyed by micro-batch and not by sample; None if there is no memory to
    find out. Moves nothing.
    """
    generator, objective = run.placement._generator, run.placement.keyed(run.criterion, run.seed)
    with run.placement.aside(), torch.no_grad(), run.placement.precision.autocast():
        try:
            objective(run.model, batch)
        except (MemoryError, RuntimeError) as error:
            _reason(error)
            return None
        drawn = generator.get_state()
        generator.manual_seed(generator.initial_seed())
        return not torch.equal(drawn, generator.get_state())


def release(device: torch.device) -> None:
    gc.collect()
    empty = getattr(torch.get_device_module(device), "empty_cache", None)
    if empty is not None:
        empty()


def _cut(tree: Any, start: int, stop: int) -> Any:
    if isinstance(tree, Tensor):
        return tree[start:stop]
    if isinstance(tree, dict):
        return {key: _cut(value, start, stop) for key, value in tree.items()}
    return type(tree)(_cut(value, start, stop) for value in tree) if isinstance(tree, list | tuple) else tree
