"""Which modules of a model are gathered by themselves where weights lie in parts, and what cannot be divided."""

from __future__ import annotations

from torch import nn

from danlu import messages
from danlu.errors import Refused
from danlu.optim.groups import sparse_embeddings

BLOCK = 1e-3  # share of a model's numbers that a block must have to be gathered by itself


def divisible(model: nn.Module) -> None:
    """Refuse what fully_shard would fail at in the middle of a step."""
    for name, _ in sparse_embeddings(model):
        raise Refused(messages.FSDP_SPARSE, name=name or "model")
    kinds = {p.dtype: name for name, p in model.named_parameters() if p.requires_grad}
    if len(kinds) > 1:
        raise Refused(messages.FSDP_TYPES, found=", ".join(f"{name} {str(kind).removeprefix('torch.')}" for kind, name in kinds.items()))


def blocks(model: nn.Module) -> list[nn.Module]:
    """The outermost members of lists and sequences of modules that are gathered by themselves: large enough, their weights their own."""
    owners: dict[nn.Parameter, set[nn.Module]] = {}
    for module in model.modules():
        for p in module.parameters(recurse=False):
            owners.setdefault(p, set()).add(module)
    enough = BLOCK * sum(p.numel() for p in owners)
    found: list[nn.Module] = []

    def fits(module: nn.Module) -> bool:
        own, inside = list(module.parameters()), set(module.modules())
        return sum(p.numel() for p in own if p.ndim) > enough and all(owners[p] <= inside for p in own)

    def walk(module: nn.Module) -> None:
        repeated = isinstance(module, nn.ModuleList | nn.Sequential)
        for child in module.children():
            container = isinstance(child, nn.ModuleList | nn.ModuleDict)
            if repeated and not container and fits(child):
                if child not in found:
                    found.append(child)
            elif not repeated or container:
                walk(child)

    walk(model)
    return found
