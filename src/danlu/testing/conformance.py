"""What every optimiser is measured by: four toy losses, resuming, accumulation, low precision, groups, and the size of its state.

Each function takes an optimiser's description and returns what it found; the tests hold them to bounds, `bench/conformance.py` writes the
table of `docs/optimisers.md`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from math import log
from typing import Any

import torch
from torch import Tensor, nn

from danlu.core import Recipe, Run
from danlu.run.tree import Encoder, decode
from danlu.testing.compare import same, weights
from danlu.testing.tiny import tiny, tiny_data

FACTORS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)  # of the default rate
Toy = Callable[[Tensor], Tensor]


def bowl(w: Tensor) -> Tensor:
    """An axis-aligned quadratic of condition 100, with its minimum at 1."""
    return (torch.logspace(-2, 0, w.numel(), dtype=w.dtype).view(w.shape) * (w - 1) ** 2).sum() / 2


def valley(w: Tensor) -> Tensor:
    """Rosenbrock's function, chained over all numbers of `w`; its minimum is at 1."""
    x = w.flatten()
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def regression(w: Tensor) -> Tensor:
    """A matrix between two others, of condition 100 in all."""
    left, right = (torch.linalg.qr(torch.sin(torch.arange(64.0, dtype=w.dtype).view(8, 8) * k + k))[0] for k in (3, 7))
    scale = torch.logspace(-0.5, 0.5, 8, dtype=w.dtype)
    return ((left * scale) @ (w - 1) @ (right * scale)).square().sum() / 2


TOYS: dict[str, tuple[Toy, tuple[int, int], int]] = {
    "bowl": (bowl, (8, 8), 300), "valley": (valley, (2, 2), 1000), "regression": (regression, (8, 8), 300),
}  # fmt: skip


def descended(description: Any, toy: str, factor: float = 1.0) -> float:
    """The loss after the toy's steps over the loss at the start, with the rate multiplied by `factor`; inf where it is not finite."""
    loss, shape, steps = TOYS[toy]
    p = nn.Parameter(torch.sin(torch.arange(float(shape[0] * shape[1]), dtype=torch.float64)).view(shape))
    optimizer = replace(description, lr=description.lr * factor)([("w", p)])
    first = loss(p).item()

    def look() -> Tensor:
        optimizer.zero_grad()
        value = loss(p)
        value.backward()
        return value

    for _ in range(steps):
        look()
        if not bool(p.grad.isfinite().all()):  # type: ignore[union-attr]
            return float("inf")
        optimizer.step(look if type(optimizer) is torch.optim.LBFGS else None)
    last = loss(optimizer.state[p].get("x", p).detach()).item()
    return last / first if last == last else float("inf")


def learned(description: Any, factor: float = 1.0, **fields: Any) -> float:
    """The training loss of the laws' small net in the last 5 of 40 steps over what guessing has (ln 3)."""
    recipe = _recipe(replace(description, lr=description.lr * factor), steps=40, **fields)
    losses = [float(report.loss) for report in Run(recipe)]
    found = sum(losses[-5:]) / 5 / log(3)
    return found if found == found else float("inf")


def best(measure: Callable[[float], float]) -> tuple[float, float]:
    """The least of `measure` over the factors of the default rate, and its factor."""
    return min((measure(factor), factor) for factor in FACTORS)


def resumes(description: Any, steps: int = 6) -> bool:
    """n steps equal k steps, written as in a checkpoint, read into a new run, and n - k more, bit for bit, for every k."""
    recipe = _recipe(description, steps=steps)
    whole = Run(recipe)
    losses = [repr(float(report.loss)) for report in whole]
    for k in range(steps + 1):
        half, again = Run(recipe), Run(recipe)
        head = [repr(float(report.loss)) for _, report in zip(range(k), half)]
        encoder = Encoder()
        form = encoder.encode(half.state())
        again.load(decode(form, copy.deepcopy(encoder.files)))
        if head + [repr(float(report.loss)) for report in again] != losses or not same(weights(again), weights(whole)):
            return False
        if not same(again.kept_weights() or {}, whole.kept_weights() or {}):
            return False
    return True


def accumulates(description: Any) -> float:
    """How far the weights are apart, in float64, after 6 steps whole and in micro-batches."""
    ends = []
    for micro in (None, 4):
        run = Run(tiny(optimizer=description, split=True, micro_batch_size=micro, precision="fp64"))
        for _ in run:
            pass
        ends.append(weights(run))
    return max(float((value - ends[1][name]).abs().max()) for name, value in ends[0].items())


def moves(description: Any) -> bool:
    """Whether every parameter has been elsewhere within three steps, and none of it is a NaN."""
    run = Run(_recipe(description, steps=3))
    before, moved = weights(run), set()
    for _ in run:
        moved |= {name for name, p in run.model.named_parameters() if not torch.equal(p, before[name])}
    return moved == before.keys() and all(bool(p.isfinite().all()) for p in run.model.parameters())


def origin(description: Any) -> str:
    """Whose steps they are: "torch, fused" or "torch, foreach" (with the kernels that float32 parameters get here), or "danlu"."""
    made = description([("w", nn.Parameter(torch.ones(3, 3))), ("b", nn.Parameter(torch.ones(3)))])
    parts = getattr(made, "parts", [made])
    if any(type(part).__module__.partition(".")[0] != "torch" for part in parts):
        return "danlu"
    words = {word for part in parts for word in ("fused", "foreach") if part.defaults.get(word)}
    return ", ".join(["torch", *sorted(words)])


def spares(description: Any) -> bool:
    """Whether a decay reaches matrices and nothing else, and whether layers get their rates."""
    model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 4), nn.Linear(4, 2))
    decaying = replace(description, weight_decay=0.1, layer_decay=0.5)
    optimizer = decaying(decaying.groups(model))
    found = {name: group for group in optimizer.param_groups for name in group["param_names"]}
    decays = {name for name, group in found.items() if group["weight_decay"]}
    rate = {name: group["lr"] / description.lr for name, group in found.items()}
    return (
        found.keys() == dict(model.named_parameters()).keys()
        and decays == {"1.weight", "3.weight", "4.weight"}
        and [rate[f"{layer}.weight"] for layer in (0, 1, 2, 3, 4)] == [0.125, 0.25, 0.25, 0.5, 1.0]
    )


def state_size(description: Any) -> float:
    """Numbers in the optimiser's state for each parameter, in a net whose hidden matrices are 64 by 64, after two steps."""
    model = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 64))
    optimizer = description(description.groups(model) if hasattr(description, "groups") else model.named_parameters())

    def look() -> Tensor:
        optimizer.zero_grad()
        loss = model(torch.ones(2, 64)).square().sum()
        loss.backward()
        return loss

    for _ in range(2):
        look()
        optimizer.step(look if type(optimizer) is torch.optim.LBFGS else None)
    return _held(list(optimizer.state.values())) / sum(p.numel() for p in model.parameters())


def _held(state: Any) -> int:
    """Numbers in all tensors of a tree but single ones."""
    if isinstance(state, Tensor):
        return state.numel() if state.ndim else 0
    return sum(map(_held, state.values() if isinstance(state, dict) else state)) if isinstance(state, dict | list | tuple) else 0


def hidden_net() -> nn.Module:
    """6 -> 8 -> 8 -> 3 with a norm: it has a hidden matrix."""
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 8), nn.LayerNorm(8), nn.Tanh(), nn.Linear(8, 3))


def _recipe(description: Any, **fields: Any) -> Recipe:
    return tiny(optimizer=description, model=hidden_net, data=tiny_data, **fields)
