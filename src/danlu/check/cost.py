"""What a step takes: bytes and seconds, measured."""

from __future__ import annotations

import time
from dataclasses import replace

import torch

from danlu import messages
from danlu.check.certificate import OK, Line, line
from danlu.check.plain import Part
from danlu.check.trial import LOOK, Trial, batches_of
from danlu.core import Run
from danlu.cost import step_cost
from danlu.explain import in_bytes

AFFORDABLE = 8 * LOOK  # a step of more is measured on fewer rows


def cost(trial: Trial) -> Line:
    """Two steps of the recipe's own batch (the first warms up); of a large one on fewer rows, and laid over all of them."""
    whole = trial.row_flops * trial.recipe.batch_size <= AFFORDABLE
    recipe = replace(trial.recipe, validate=False) if whole else trial.small
    rows = trial.data.train
    data = replace(trial.data, train=Part(rows, torch.arange(len(rows)))) if whole else trial.part
    with Run(recipe, data=data) as run:
        batches = next(batches_of(run, 1))
        _, memory = step_cost(run, batches[0])
        began = time.perf_counter()
        looks = 0
        while looks < 3 and time.perf_counter() - began < 0.3:
            run.placement.begin()
            run.update(lambda: run.gradient(run.objective, batches))
            looks += 1
        if run.placement.device.type != "cpu":
            torch.get_device_module(run.placement.device).synchronize()
        seconds = (time.perf_counter() - began) / looks
    share = 1.0
    if not whole:
        size = min(trial.recipe.micro_batch_size or trial.recipe.batch_size, trial.recipe.batch_size)
        part = size / len(batches[0].ids)
        memory |= {name: int(memory[name] * part) for name in ("batch", "activations")}
        memory["total"] = sum(value for name, value in memory.items() if name != "total")
        share = trial.recipe.batch_size / sum(len(batch.ids) for batch in batches)
    seconds *= share
    figures = {"seconds": seconds, "memory": memory, "total": trial.total, "all": seconds * trial.total, "rows": recipe.batch_size}
    shown = {"step": _long(seconds), "bytes": in_bytes(memory["total"]), "whole": _long(seconds * trial.total)}
    return line("cost", OK, messages.CHECK_COST if whole else messages.CHECK_COST_LAID, **figures, **shown)


def _long(seconds: float) -> str:
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{1000 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
