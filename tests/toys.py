"""Small trainings for the tests of the loop: everything is in float64 on the CPU, so that a difference is a mistake and not rounding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from danlu.core import Loss, Recipe, Run, Technique
from danlu.data.source import Data, Facts, Tensors
from danlu.nets.dropout import Dropout

torch.set_num_threads(1)


def made(rows: int = 40, features: int = 6, classes: int = 3, seed: int = 0, held_out: int = 0) -> Data:
    """Rows of a classification that a linear model can mostly learn; the last `held_out` of them for validation."""
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(rows + held_out, features, generator=g)
    y = (x[:, :classes] + 0.3 * torch.randn(rows + held_out, classes, generator=g)).argmax(1)
    val = Tensors(x[rows:], y[rows:]) if held_out else None
    return Data(Tensors(x[:rows], y[:rows]), Facts("classify", (features,), classes, rows=rows), val=val)


def tokens(rows: int = 40, length: int = 5, seed: int = 0, ignored: float = 0.4) -> Data:
    """Rows of `length` positions with a label each, of which a share is ignored, so that no two batches have the same count."""
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, length, 6, generator=g)
    y = torch.randint(0, 3, (rows, length), generator=g)
    y[torch.rand(rows, length, generator=g) < ignored] = -100
    y[:, 0] = y[:, 0].clamp(min=0)
    return Data(Tensors(x, y), Facts("language", (length, 6), 3, rows=rows))


def net(features: int = 6, classes: int = 3) -> nn.Module:
    return nn.Sequential(nn.Linear(features, 8), nn.Tanh(), nn.Linear(8, classes))


def normed(rate: float = 0.2) -> nn.Module:
    """LayerNorm and keyed dropout: nothing in it depends on how a batch is split."""
    return nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.Tanh(), Dropout(rate), nn.Linear(8, 3))


def batch_normed() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 3))


def sgd(lr: float = 0.1, **options: Any) -> Callable[[Any], torch.optim.Optimizer]:
    return lambda params: torch.optim.SGD(params, lr=lr, **options)


def recipe(*techniques: Technique, **fields: Any) -> Recipe:
    base: dict[str, Any] = {
        "model": net,
        "data": made,
        "loss": F.cross_entropy,
        "optimizer": sgd(momentum=0.9),
        "techniques": techniques,
        "precision": "fp64",
        "steps": 6,
        "batch_size": 8,
        "device": "cpu",
    }
    return Recipe(**(base | fields))


def trained(*techniques: Technique, **fields: Any) -> Run:
    """A run that went to its end."""
    run = Run(recipe(*techniques, **fields))
    for _ in run:
        pass
    return run


def steps(run: Run, count: int) -> Run:
    """The run, `count` steps further."""
    for _, _report in zip(range(count), run):
        pass
    return run


def state(run: Run) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in run.model.state_dict().items()}


def apart(left: Run, right: Run) -> float:
    """The largest difference between two models' parameters and buffers."""
    a, b = state(left), state(right)
    assert a.keys() == b.keys()
    return max(float((value.double() - b[name].double()).abs().max()) for name, value in a.items())


def twin(run: Run) -> nn.Module:
    """A copy of the run's model as it is now, for a loop written by hand."""
    import copy

    model = copy.deepcopy(run.model)
    for module in model.modules():
        module._forward_hooks.clear()  # the run's own, which watches buffers
    return model


def rows_of(run: Run, step: int) -> tuple[Tensor, Tensor]:
    """What the plan says that a step looks at, in the run's precision."""
    x, y = run.data.train.fetch(run.plan.ids(step), 0)
    return run.placement.put(x), run.placement.put(y)


@dataclass
class Spoil(Technique):
    """Make the loss NaN in some steps (counted from 0)."""

    at: tuple[int, ...] = (2,)

    def wrap_objective(self, objective: Any, run: Run) -> Any:
        def spoiled(model: nn.Module, batch: Any) -> Loss:
            loss = objective(model, batch)
            share = float("nan") if batch.step in self.at else 1.0
            return Loss({name: (value * share, per) for name, (value, per) in loss.terms.items()})

        return spoiled
