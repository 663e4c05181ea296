"""Which parameters decay: named groups by rule, in the form torch.optim takes.

Matrices and convolution kernels decay; norms, biases and embeddings do not. A decayed norm or bias limits what the layer can say and
regularises little, and an embedding row that no batch contains would shrink without ever being trained.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from torch import nn

EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)
NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)


def groups(model: nn.Module, weight_decay: float, decay_norms: bool = False) -> list[dict[str, Any]]:
    """The trainable parameters of `model` as the groups "decay" and "no_decay".

    Each is {"name": ..., "params": [(name, Parameter), ...], "weight_decay": ...}, so that torch.optim keeps the names as `param_names`.
    An embedding is known by its module's type, so a head that shares its weight does not decay either; a tied parameter is in once, under
    its first name. `decay_norms` lets norms and biases decay too (embeddings never). Empty groups are left out, and with a weight decay of
    zero everything is "no_decay", because two groups with the same options only cost time.
    """
    embeddings, norms = _owned(model, EMBEDDINGS), _owned(model, NORMS)
    split: dict[str, list[tuple[str, nn.Parameter]]] = {"decay": [], "no_decay": []}
    for name, p in model.named_parameters():  # a tied parameter comes once
        if p.requires_grad:
            plain = p.ndim >= 2 and p not in norms and name.rpartition(".")[2] != "bias"
            decays = weight_decay > 0 and p not in embeddings and (plain or decay_norms)
            split["decay" if decays else "no_decay"].append((name, p))
    return [
        {"name": name, "params": params, "weight_decay": weight_decay if name == "decay" else 0.0}
        for name, params in split.items()
        if params
    ]


def _owned(model: nn.Module, kinds: tuple[type[nn.Module], ...]) -> set[nn.Parameter]:
    """The parameters that modules of these kinds hold themselves (tensors hash by identity)."""
    return {p for module in model.modules() if isinstance(module, kinds) for p in module.parameters(recurse=False)}


class GroupRow(NamedTuple):
    """One group, described: its name, its number of tensors and of parameters, and its options."""

    name: str
    tensors: int
    parameters: int
    options: dict[str, Any]


def describe_groups(groups: Iterable[Mapping[str, Any]]) -> list[GroupRow]:
    """One row a group, of what `groups` returned or of an optimiser's `param_groups` (a group without a name gets its number)."""
    rows = []
    for number, group in enumerate(groups):
        params = [p[1] if isinstance(p, tuple) else p for p in group["params"]]
        options = {key: value for key, value in group.items() if key not in ("name", "params", "param_names")}
        rows.append(GroupRow(group.get("name", str(number)), len(params), sum(p.numel() for p in params), options))
    return rows
