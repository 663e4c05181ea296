"""Which device a run uses, and moving batches there; every torch accelerator through the same few lines."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from danlu import messages
from danlu.errors import BadInput


def choose(wish: str) -> torch.device:
    """ "auto" takes the accelerator that is there, else the CPU; anything else is a torch device name ("cpu", "cuda:1", "mps", "npu")."""
    here = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    if wish == "auto":
        return here or torch.device("cpu")
    try:
        device = torch.device(wish)
    except RuntimeError:
        device = None
    if device is None or (device.type != "cpu" and (here is None or here.type != device.type)):
        found = "cpu" if here is None else f"cpu, {here.type}"
        raise BadInput(messages.NO_DEVICE, wish=wish, found=found)
    return device


def to(tree: Any, device: torch.device) -> Any:
    """A tree (tensors, dicts, lists, tuples) with every tensor on `device`; copies overlap compute where memory is pinned."""
    if isinstance(tree, Tensor):
        return tree if tree.device == device else tree.to(device, non_blocking=True)
    if isinstance(tree, dict):
        return {key: to(value, device) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(to(value, device) for value in tree)
    return tree


def default_generator(device: torch.device) -> torch.Generator:
    """The generator that a foreign module's dropout draws from on `device`."""
    if device.type == "cpu":
        return torch.default_generator
    backend: Any = torch.get_device_module(device)
    generators = getattr(backend, "default_generators", None)
    if generators:
        return generators[device.index or 0]  # type: ignore[no-any-return]
    return backend._get_default_generator() if hasattr(backend, "_get_default_generator") else torch.default_generator
