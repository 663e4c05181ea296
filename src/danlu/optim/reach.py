"""How far an optimiser looks to move one number: what decides how weights may be divided over processes while it steps."""

from __future__ import annotations

from typing import Any, Literal

import torch

# number: each moves by its own gradient and state alone (Adam). tensor: each parameter by itself (Muon). model: all together (L-BFGS)
Reach = Literal["number", "tensor", "model"]

NUMBER = (
    torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.Adamax, torch.optim.NAdam, torch.optim.RAdam, torch.optim.Adagrad,
    torch.optim.Adadelta, torch.optim.RMSprop, torch.optim.Rprop, torch.optim.ASGD,
)  # fmt: skip
TENSOR = (torch.optim.Adafactor, torch.optim.Muon)


def reach(optimizer: torch.optim.Optimizer) -> Reach:
    """What an optimiser says of itself, or what is known of torch's own; of any other, that it looks at the whole model: always right."""
    parts: list[Any] = getattr(optimizer, "parts", [])
    if parts:
        found = {reach(part) for part in parts}
        return "model" if "model" in found else "tensor" if "tensor" in found else "number"
    known: Reach = "number" if type(optimizer) in NUMBER else "tensor" if type(optimizer) in TENSOR else "model"
    said: Reach = getattr(optimizer, "reach", known)
    return said
