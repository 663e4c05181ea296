"""Which parameters decay and at what rate each layer learns: named groups by rule, in the form torch.optim takes.

Matrices and convolution kernels decay; norms, biases and embeddings do not. A decayed norm or bias limits what the layer can say and
regularises little, and an embedding row that no batch contains would shrink without ever being trained. With a layer decay the top layer
learns at the full rate, and each layer below it at a fixed share of the one above (Howard & Ruder 2018, "Universal language model
fine-tuning"; Clark et al. 2020, "ELECTRA"). Frozen parameters are in no group.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from torch import nn

from danlu import messages
from danlu.errors import BadInput
from danlu.fields import Range
from danlu.find.names import snake

EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)
NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)

LayerDecay = Annotated[float, Range(0, 1, open_low=True)]


@dataclass(frozen=True, kw_only=True)
class Grouped:
    """What all optimisers share: the rule by which parameters are grouped.

    decay_norms: norms and biases decay too ｜ 归一化层与偏置也做权重衰减
    layer_decay: what each layer's rate is multiplied by, counted down from the top; 1 is one rate for all
        ｜ 逐层学习率衰减：从顶层往下，每层的学习率再乘一次该系数；1 为各层相同
    """

    width_rule: ClassVar[Literal["", "sgd", "adam"]] = ""  # how a rate must change with the width of a layer, see techniques.model.mup

    decay_norms: bool = False
    layer_decay: LayerDecay = 1.0

    def groups(self, model: nn.Module) -> list[dict[str, Any]]:
        """What a run gives to the optimiser. Raises BadInput for a field out of its range, and for gradients that it cannot take."""
        check_ranges(self)
        if not self.takes_sparse():
            refuse_sparse(model, getattr(self, "name", snake(type(self).__name__)))
        decay, lr = self.weight_decay, self.lr  # type: ignore[attr-defined]  # fields of every optimiser
        return groups(model, decay, self.decay_norms, self.layer_decay, lr)

    def takes_sparse(self) -> bool:
        """Whether it can move embeddings with sparse=True: they are in a group of their own, without fused kernels."""
        return False


def groups(
    model: nn.Module, weight_decay: float, decay_norms: bool = False, layer_decay: float = 1.0, lr: float | None = None
) -> list[dict[str, Any]]:
    """The trainable parameters of `model` as the groups "decay" and "no_decay", for each layer if the layers' rates differ.

    Each is {"name": ..., "params": [(name, Parameter), ...], "weight_decay": ...}, so that torch.optim keeps the names as `param_names`;
    with a layer decay they are "layer3/decay" and have an "lr", and the top layer, whose rate is `lr`, comes first.
    An embedding is known by its module's type, so a head that shares its weight does not decay either; a tied parameter is in once, under
    its first name. `decay_norms` lets norms and biases decay too (embeddings never). Empty groups are left out, and with a weight decay of
    zero everything is "no_decay", because two groups with the same options only cost time. What a technique gave a share of the rate (see
    `rate_shares`) is in groups of its own, "rate*0.25/decay", whose decay is divided by the share: a step shrinks weights by rate times
    decay, which stays what it was. Raises BadInput for complex parameters.
    """
    embeddings, norms, sparse = owned(model, EMBEDDINGS), owned(model, NORMS), {m.weight for _, m in sparse_embeddings(model)}
    depth = {name: place for place, layer in enumerate(layers(model)) for name in layer} if layer_decay != 1.0 else {}
    top = max(depth.values(), default=0)
    shares = rate_shares(model)
    split: dict[tuple[int, bool, float, bool, bool], list[tuple[str, nn.Parameter]]] = {}
    for name, p in model.named_parameters():  # a tied parameter comes once
        if p.requires_grad:
            if p.is_complex():
                raise BadInput(messages.COMPLEX, name=name)
            plain = p.ndim >= 2 and p not in norms and name.rpartition(".")[2] != "bias"
            decays = weight_decay > 0 and p not in embeddings and (plain or decay_norms)
            share = shares.get(p, 1.0)
            split.setdefault((top - depth.get(name, top), share != 1, share, not decays, p in sparse), []).append((name, p))
    made = []
    for (below, _, share, spared, scattered), params in sorted(split.items(), key=lambda item: item[0]):
        group: dict[str, Any] = {
            "name": "no_decay" if spared else "decay",
            "params": params,
            "weight_decay": 0.0 if spared else weight_decay / share,
        }
        if scattered:
            group |= {"name": "sparse", "fused": False, "foreach": True}
        if depth:
            group |= {"name": f"layer{top - below}/{group['name']}", "lr": (1.0 if lr is None else lr) * layer_decay**below}
        if share != 1:
            group |= {"name": f"rate*{share:.4g}/{group['name']}", "lr": group.get("lr", 1.0 if lr is None else lr) * share}
        made.append(group)
    return made


def rate_shares(model: nn.Module) -> dict[nn.Parameter, float]:
    """What each parameter's rate is multiplied by, where a technique has said so on the module that holds it."""
    return {
        p: share
        for module in model.modules()
        for name, share in getattr(module, "rate_shares", {}).items()
        if (p := module._parameters.get(name)) is not None
    }


def decaying(model: nn.Module) -> list[nn.Parameter]:
    """The trainable parameters that a weight decay is for: matrices and kernels, no embeddings."""
    return [p for group in groups(model, 1.0) if group["name"] == "decay" for _, p in group["params"]]


def layers(model: nn.Module) -> list[list[str]]:
    """The names of the parameters by layer, the lowest first, in the order in which the modules are registered.

    A numbered block (`blocks.3`, `stages.0.1`) is a layer, together with what follows it that holds no matrix (a norm in a sequence). What
    comes before the first of them is one layer (embeddings, stem), what comes after the last is one (final norm, head). In a model without
    numbered blocks each of its parts is a layer.
    """
    named = list(model.named_parameters())
    numbered = any(_block(name) for name, _ in named)
    part = {name: _block(name) or ("" if numbered else name.partition(".")[0]) for name, _ in named}
    whole = {part[name] for name, p in named if p.ndim >= 2} | {""}  # parts that are layers of their own
    found: list[tuple[str, list[str]]] = []
    for name, _ in named:
        if not found or (part[name] != found[-1][0] and part[name] in whole):
            found.append((part[name], []))
        found[-1][1].append(name)
    return [names for _, names in found]


def _block(name: str) -> str:
    """The part of a parameter's name up to its first run of numbers: `stages.0.1` of `stages.0.1.conv.weight`; "" if it has none."""
    parts = name.split(".")[:-1]
    head = list(takewhile(lambda part: not part.isdigit(), parts))
    run = list(takewhile(str.isdigit, parts[len(head) :]))
    return ".".join(head + run) if run else ""


def check_ranges(description: Any) -> None:
    """Raises BadInput if a field of an optimiser's description does not hold what its annotation says, as a recipe file's would."""
    from danlu.describe.annotations import field_types
    from danlu.describe.forms import convert
    from danlu.describe.places import Places, Spot

    kind: Any = type(description)
    for name, (annotation, _) in field_types(kind).items():
        convert(annotation, getattr(description, name), Spot(Places()).at("optimizer", name))


def hidden(model: nn.Module) -> set[nn.Parameter]:
    """The matrices of the hidden layers: of two dimensions, no embedding, no norm, and not the output layer's."""
    spared = owned(model, EMBEDDINGS) | owned(model, NORMS) | output_layer(model)
    return {p for p in model.parameters() if p.ndim == 2 and p.requires_grad and p not in spared}


def output_layer(model: nn.Module) -> set[nn.Parameter]:
    """The parameters of the last module, in the order of registration, that holds a matrix."""
    owners = [m for m in model.modules() if any(p.ndim == 2 for p in m.parameters(recurse=False))]
    return set(owners[-1].parameters(recurse=False)) if owners else set()


def refuse_sparse(model: nn.Module, optimizer: str) -> None:
    """Raises BadInput if an embedding of `model` makes sparse gradients."""
    for name, _ in sparse_embeddings(model):
        raise BadInput(messages.SPARSE, optimizer=optimizer, name=name or "model")


def sparse_embeddings(model: nn.Module) -> list[tuple[str, nn.Embedding | nn.EmbeddingBag]]:
    """The embeddings of `model` that make sparse gradients, with their names."""
    found = [(name, m) for name, m in model.named_modules() if isinstance(m, EMBEDDINGS)]
    return [(name, m) for name, m in found if m.sparse and m.weight.requires_grad]


def owned(model: nn.Module, kinds: tuple[type[nn.Module], ...]) -> set[nn.Parameter]:
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
