"""SGD, Adam, AdamW and Lion on stacked parameters, where every member has its own rate, decay and betas.

Neighbours that agree in them move together, by torch's fused kernels; Lion, which has none, by vectors over members that broadcast.

The formulas are those of torch.optim (2.13) and `danlu.optim.lion`, the settings those of each member's own optimiser. A member whose
loss or gradient is not finite is left where it was, with its state and its count of steps, as a run of its own would leave it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from danlu import messages
from danlu.find.names import Phrase
from danlu.optim.lion import LionOptimizer

Vector = np.ndarray  # float64 [members]
# Options that every member may have of its own; any other must be at the value given, which is what the formulas below are for.
OWN = {"lr", "weight_decay", "momentum", "dampening", "betas", "eps"}
USUAL: dict[str, Any] = {"maximize": False, "amsgrad": False, "differentiable": False}
INDIFFERENT = {"params", "param_names", "name", "foreach", "fused", "capturable", "initial_lr"}
FLAGS = ("nesterov", "decoupled_weight_decay")  # the same for all members of a stack


def unusual(optimizer: torch.optim.Optimizer) -> Phrase | None:
    """Why an optimiser has no stacked form here, or None."""
    name = type(optimizer).__name__
    if type(optimizer) not in _FORMULAS:
        return Phrase(messages.PART_OPTIMIZER, name=name, option=f"{type(optimizer).__module__}.{name}")
    for group in optimizer.param_groups:
        for key, value in group.items():
            known = key in OWN or key in INDIFFERENT or key in FLAGS
            if (not known and (key not in USUAL or value != USUAL[key])) or isinstance(value, Tensor):
                return Phrase(messages.PART_OPTIMIZER, name=name, option=f"{key}={value}")
    return None


def flags(optimizer: torch.optim.Optimizer) -> tuple[Any, ...]:
    """What members of a stack must have in common: the kind of optimiser and its switches, by group."""
    return type(optimizer), *({key: group[key] for key in FLAGS if key in group} for group in optimizer.param_groups[:1])


@dataclass(eq=False)
class _Bundle:
    """Parameters that have the same settings in every member. state: what the optimiser keeps of each, one list a kind."""

    options: dict[str, Vector]
    switches: Mapping[str, Any]
    places: list[int] = field(default_factory=list)
    params: list[Tensor] = field(default_factory=list)
    state: dict[str, list[Tensor]] = field(default_factory=dict)
    cut: dict[Any, list[list[tuple[Tensor, ...]]]] = field(default_factory=dict)  # views of parameters and state, by where they are cut


class Mover:
    """Moves `params` ([members, ...] each, in place) as each member's optimiser would move its own."""

    def __init__(self, params: Mapping[str, Tensor], optimizers: Sequence[torch.optim.Optimizer], names: Sequence[Mapping[int, str]]):
        """names: for each member, the name of a parameter by its id."""
        self.formula = _FORMULAS[type(optimizers[0])]
        self.counts = np.zeros(len(optimizers))  # steps that moved each member
        found: list[dict[str, dict[str, Any]]] = []
        for optimizer, known in zip(optimizers, names):
            found.append({known[id(p)]: group for group in optimizer.param_groups for p in group["params"]})
        bundles: dict[Any, _Bundle] = {}
        for place, (name, value) in enumerate(params.items()):
            groups = [member[name] for member in found]
            options = _vectors(groups)
            switches = {key: groups[0][key] for key in FLAGS if key in groups[0]}
            key = tuple((option, tuple(vector)) for option, vector in options.items())
            bundle = bundles.setdefault(key, _Bundle(options, switches))
            bundle.places.append(place)
            bundle.params.append(value)
        self.bundles = list(bundles.values())

    @torch.no_grad()
    def move(self, grads: Sequence[Tensor | None], shares: Vector, sound: np.ndarray | None = None) -> None:
        """One step. shares: the schedule's factor for each member; sound: which members move, bool [members]; None for all."""
        before = {} if sound is None else {id(value): value.clone() for value in self._tensors()}
        self.counts += 1
        for bundle in self.bundles:
            moving = [(p, g, nth) for nth, (p, place) in enumerate(zip(bundle.params, bundle.places)) if (g := grads[place]) is not None]
            if moving:
                self.formula(bundle, moving, bundle.options["lr"] * shares, self.counts)
        if sound is not None:
            self.counts[~sound] -= 1
            bad = torch.from_numpy(~sound)
            for value in self._tensors():
                at = bad.to(value.device)
                value[at] = before[id(value)][at] if id(value) in before else 0.0  # state that began in this step begins at zero

    def _tensors(self) -> list[Tensor]:
        return [v for bundle in self.bundles for kind in (bundle.params, *bundle.state.values()) for v in kind]


def _vectors(groups: Sequence[Mapping[str, Any]]) -> dict[str, Vector]:
    options: dict[str, Vector] = {}
    for key in OWN & groups[0].keys():
        values = [group[key] for group in groups]
        if key == "betas":
            options["beta1"], options["beta2"] = np.array(values, dtype=np.float64).T
        else:
            options[key] = np.array(values, dtype=np.float64)
    return options


def _agree(vector: Vector) -> bool:
    return bool((vector == vector[0]).all())


def _factor(vector: Vector, like: Tensor) -> Any:
    """A vector over members as something that multiplies `like`: a number where all agree, else [members, 1, ...]."""
    if _agree(vector):
        return float(vector[0])
    return torch.as_tensor(vector).to(like.device, like.dtype).view(-1, *(1,) * (like.ndim - 1))


def _add(value: Tensor, other: Tensor, factor: Any) -> Tensor:
    """value += factor * other, in place."""
    return value.add_(other, alpha=factor) if isinstance(factor, float) else value.addcmul_(other, factor)


Moving = Sequence[tuple[Tensor, Tensor, int]]  # parameter, gradient, place in the bundle


def _kept(bundle: _Bundle, kind: str) -> list[Tensor]:
    if kind not in bundle.state:
        bundle.state[kind] = [torch.zeros_like(p) for p in bundle.params]
    return bundle.state[kind]


def _stretches(*vectors: Vector) -> list[tuple[int, int]]:
    """Neighbouring members that agree in every vector, as (first, last + 1)."""
    differs = np.zeros(len(vectors[0]) - 1, dtype=bool)
    for vector in vectors:
        differs |= vector[1:] != vector[:-1]
    bounds = [0, *(np.flatnonzero(differs) + 1).tolist(), len(vectors[0])]
    return list(itertools.pairwise(bounds))


def _lists(bundle: _Bundle, moving: Moving, stretches: list[tuple[int, int]], *kinds: str) -> list[list[list[Tensor]]]:
    """For each stretch of members: parameters, gradients and state, for torch's fused kernels, which take one pass over memory instead of
    three to seven. They know one rate for all members that they are given, hence the stretches (32 rates for 32 members: 0.29 ms, by the
    formulas below 0.9). They pair the wrong numbers where strides differ, hence `contiguous`.
    """
    sizes = [end - start for start, end in stretches]
    key = (tuple(sizes), tuple(place for _, _, place in moving))
    if key not in bundle.cut:
        kept = [bundle.params, *(_kept(bundle, kind) for kind in kinds)]
        bundle.cut = {key: [list(zip(*(each[place].split(sizes) for _, _, place in moving))) for each in kept]}
    params, *state = bundle.cut[key]
    grads = zip(*(g.contiguous().split(sizes) for _, g, _ in moving))
    return [[list(each) for each in stretch] for stretch in zip(params, grads, *state)]


def _sgd(bundle: _Bundle, moving: Moving, lr: Vector, counts: Vector) -> None:
    o = bundle.options
    stretches = _stretches(lr, counts, *o.values())
    for (k, _), (params, grads, momenta) in zip(stretches, _lists(bundle, moving, stretches, "momentum")):
        torch._fused_sgd_(
            params, grads, momenta if o["momentum"][k] else [],
            weight_decay=o["weight_decay"][k], momentum=o["momentum"][k], lr=float(lr[k]), dampening=o["dampening"][k],
            nesterov=bool(bundle.switches.get("nesterov")), maximize=False, is_first_step=bool(counts[k] == 1),
        )  # fmt: skip


def _adam(bundle: _Bundle, moving: Moving, lr: Vector, counts: Vector) -> None:
    o = bundle.options
    decoupled = bundle.switches.get("decoupled_weight_decay")
    stretches = _stretches(lr, counts, *o.values())
    kernel = torch._fused_adamw_ if decoupled else torch._fused_adam_
    for (k, _), (params, grads, means, squares) in zip(stretches, _lists(bundle, moving, stretches, "mean", "square")):
        step = torch.tensor(counts[k], dtype=torch.float32, device=params[0].device)
        kernel(
            params, grads, means, squares, [], [step] * len(params),
            lr=float(lr[k]), beta1=o["beta1"][k], beta2=o["beta2"][k], weight_decay=o["weight_decay"][k], eps=o["eps"][k],
            amsgrad=False, maximize=False,
        )  # fmt: skip


def _lion(bundle: _Bundle, moving: Moving, lr: Vector, counts: Vector) -> None:
    o = bundle.options
    for p, g, place in moving:
        if o["weight_decay"].any():
            p.mul_(_factor(1 - lr * o["weight_decay"], p))
        mean = _kept(bundle, "mean")[place]
        _add(p, torch.lerp(mean, g, _factor(1 - o["beta1"], p)).sign_(), _factor(-lr, p))
        mean.lerp_(g, _factor(1 - o["beta2"], p))


_FORMULAS: dict[type, Callable[[_Bundle, Moving, Vector, Vector], None]] = {
    torch.optim.SGD: _sgd,
    torch.optim.Adam: _adam,
    torch.optim.AdamW: _adam,
    LionOptimizer: _lion,
}
