"""Each layer of a model with the scale of its weights, and the scale of activations that they give at the start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from danlu.core import Batch, Run


@dataclass(frozen=True)
class Layer:
    """A module with parameters of its own, as it first worked on a batch.

    weight: shape of its weight, `deviation` of that, and the peak `rate` at which it learns (None: it does not); mean, std: of all numbers
    that it returned (None: no tensor of floats, or not used)
    """

    name: str
    kind: str
    weight: tuple[int, ...]
    deviation: float | None
    rate: float | None
    mean: float | None
    std: float | None


def layers(run: Run, batch: Batch) -> list[Layer]:
    """The layers in the order in which they first work on the batch, those that do not work last. Nothing of the run is moved."""
    own = {module: name for name, module in run.model.named_modules() if any(True for _ in module.parameters(recurse=False))}
    seen: dict[nn.Module, tuple[float, float] | None] = {}

    def watch(module: nn.Module, inputs: Any, output: Any) -> None:
        output = output[0] if isinstance(output, tuple) else output
        floats = isinstance(output, Tensor) and output.is_floating_point() and output.numel() > 1
        seen.setdefault(module, (float(output.double().mean()), float(output.double().std())) if floats else None)

    hooks = [module.register_forward_hook(watch) for module in own]
    try:
        with torch.no_grad(), run.placement.looking(run.model), run.placement.precision.autocast():
            run.criterion(run.model, batch)
    finally:
        for hook in hooks:
            hook.remove()
    rates = {p: float(group["lr"]) for group in run.optimizer.param_groups for p in group["params"]}
    order = [*seen, *(module for module in own if module not in seen)]
    return [_layer(own[module], module, rates, seen.get(module)) for module in order]


def _layer(name: str, module: nn.Module, rates: dict[Tensor, float], scale: tuple[float, float] | None) -> Layer:
    weight = getattr(module, "weight", None)
    shape = tuple(weight.shape) if isinstance(weight, Tensor) else ()
    deviation = float(weight.detach().double().std()) if isinstance(weight, Tensor) and weight.numel() > 1 else None
    rate = rates.get(weight) if isinstance(weight, Tensor) else None
    return Layer(name or "model", type(module).__name__, shape, deviation, rate, *(scale or (None, None)))
