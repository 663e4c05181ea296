"""Building torch's optimisers with their fastest kernels: fused where they are right, else foreach.

Whether fused kernels exist, and whether they are right, differs by optimiser, device, dtype and torch version, so torch itself is asked:
three steps on a small tensor must agree with the plain loop. (torch up to 2.13, CPU: fused SGD leaves all but the tail of a bfloat16 or
float16 tensor where it was, pytorch/pytorch#191763.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Literal

import torch
from torch import Tensor

from danlu import messages
from danlu.errors import BadInput

Fused = Literal["auto", "on", "off"]


def built(kind: type[Any], params: Iterable[Any], fused: Fused, **options: Any) -> torch.optim.Optimizer:
    """`kind(params, **options)` with fused kernels ("auto": if every parameter allows it, else foreach; "off": foreach).

    params: (name, Parameter) pairs, parameters, or group dicts of either; the dicts are not changed.
    Raises BadInput for fused="on" where the fused kernels are missing or wrong.
    """
    groups = [dict(entry) if isinstance(entry, dict) else entry for entry in params]  # torch writes into the dicts it is given
    if options.get("dampening"):  # a momentum that starts late would have to start as its gradient, undamped
        fused = "off" if fused == "auto" else fused
    unfit = None if fused == "off" else next((leaf for leaf in _leaves(groups) if not fits(kind, leaf[1], **options)), None)
    if unfit is not None and fused == "on":
        name, p = unfit
        raise BadInput(
            messages.NO_FUSED, optimizer=kind.__name__, name=name, dtype=str(p.dtype).removeprefix("torch."), device=p.device.type
        )
    faster = {"foreach": True} if unfit is not None or fused == "off" else {"fused": True}
    optimizer: torch.optim.Optimizer = kind(groups, **faster, **options)
    if "fused" in faster:
        matrices = [p for group in optimizer.param_groups for p in group["params"] if p.ndim > 1]
        optimizer.register_step_pre_hook(_lay_out_gradients(matrices))
        optimizer.register_load_state_dict_post_hook(lay_out_state)
        if options.get("momentum"):
            optimizer.register_step_pre_hook(_start_late_momenta)
    return optimizer


def fits(kind: type[Any], p: Tensor, **options: Any) -> bool:
    """Whether the fused kernels of `kind` move `p` as the plain loop does: by its device, its dtype and its memory.

    Subclasses of Tensor do not fit: a DTensor, for one, has fused Adam but no fused SGD (torch 2.13).
    """
    return type(p.data) is Tensor and _dense(p) and _agree(kind, p.device, p.dtype, **{**options, "lr": 0.1})  # type: ignore[arg-type]


@cache
def _agree(kind: Callable[..., torch.optim.Optimizer], device: torch.device, dtype: torch.dtype, **options: Any) -> bool:
    """Three fused steps end within rounding of three plain ones, on 67 numbers: whole SIMD blocks of every width, and a tail."""
    if not dtype.is_floating_point:
        return False
    ends = []
    for fused in (True, False):
        p = torch.ones(67, device=device, dtype=dtype, requires_grad=True)
        p.grad = torch.linspace(1, 2, 67, device=device).to(dtype)
        try:
            optimizer = kind([p], fused=fused, **options)
            for _ in range(3):
                optimizer.step()
        except (RuntimeError, TypeError):  # not implemented here; an optimiser without the argument
            return False
        ends.append(p.detach().double())
    return bool((ends[0] - ends[1]).abs().max() <= 4 * torch.finfo(dtype).eps)


def _leaves(groups: list[Any]) -> Iterable[tuple[str, Tensor]]:
    """(name, parameter) of everything in `groups`; a parameter without a name gets its number."""
    entries = [p for group in groups for p in (group["params"] if isinstance(group, dict) else [group])]
    return (entry if isinstance(entry, tuple) else (str(number), entry) for number, entry in enumerate(entries))


def _dense(p: Tensor) -> bool:
    """Its numbers fill one block of memory, in any order of dimensions: fused kernels walk memory, not indices."""
    expected = 1
    for stride, size in sorted((stride, size) for size, stride in zip(p.shape, p.stride()) if size > 1):
        if stride != expected:
            return False
        expected *= size
    return True


def _laid_out(x: Tensor, p: Tensor) -> Tensor:
    return torch.empty_like(p, dtype=x.dtype, requires_grad=False).copy_(x)


def _lay_out_gradients(matrices: list[Tensor]) -> Callable[..., None]:
    """Before a step: gradients that a technique made with other strides than their parameters are laid out like them.

    Fused kernels on CPU pair the wrong numbers otherwise and say nothing; on CUDA they raise (pytorch/pytorch#106951).
    """

    def lay_out(*_: Any) -> None:
        for p in matrices:
            grad = p.grad
            if grad is not None and not grad.is_sparse and grad.stride() != p.stride():
                p.grad = _laid_out(grad, p)

    return lay_out


def _start_late_momenta(optimizer: torch.optim.Optimizer, *_: Any) -> None:
    """Before a step: a parameter whose first gradient comes after the others' gets a momentum of zero.

    torch's fused SGD (2.13) takes either no momenta or all of them, and raises a TypeError for some.
    """
    state = optimizer.state
    params = [p for group in optimizer.param_groups for p in group["params"]]
    if 0 < len(state) < len(params):
        for p in params:
            if p.grad is not None and "momentum_buffer" not in state.get(p, ()):
                state[p]["momentum_buffer"] = torch.zeros_like(p)


@torch.no_grad()
def lay_out_state(optimizer: torch.optim.Optimizer) -> None:
    """After loading: state that comes from a file, where all is contiguous, is laid out like its parameter."""
    for p, state in optimizer.state.items():
        for key, value in state.items():
            if isinstance(value, Tensor) and value.shape == p.shape and value.stride() != p.stride():
                state[key] = _laid_out(value, p)
