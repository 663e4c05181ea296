"""Whatever a recipe names as its model, made into one: a description, a live module, or a class or function that makes one."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
from typing import Any

from torch import nn

from danlu import messages
from danlu.data.source import Facts
from danlu.errors import BadInput
from danlu.nets.dropout import named


def construct(model: Any, facts: Facts) -> nn.Module:
    """The module that `model` means, with its dropouts named.

    A dataclass instance is called with the facts; an nn.Module is used as it is; a class or function is called with those of its
    parameters that `known` has a value for. Raises BadInput for anything else, for a required parameter that is not known, and for a
    result that is no nn.Module.
    """
    if isinstance(model, nn.Module):
        return named(model)
    if not callable(model):
        raise BadInput(messages.NOT_A_MODEL, given=repr(model), found=type(model).__name__)
    described = dataclasses.is_dataclass(model) and not isinstance(model, type)
    made = model(facts) if described else model(**arguments(model, facts))
    if not isinstance(made, nn.Module):
        raise BadInput(messages.NOT_A_MODEL, given=f"{_name(model)}(...)", found=type(made).__name__)
    return named(made)


def known(facts: Facts) -> dict[str, Any]:
    """What the facts say, by the parameter names that models commonly have."""
    values: dict[str, Any] = {"facts": facts}
    values |= dict.fromkeys(("num_classes", "num_outputs", "out_features", "num_labels", "output_size", "output_dim"), facts.outputs)
    if facts.vocab is not None:
        values |= {"vocab_size": facts.vocab, "num_tokens": facts.vocab}
        values |= dict.fromkeys(("context", "context_length", "block_size", "max_length", "seq_len"), facts.shape[0])
        if facts.padding is not None:
            values |= dict.fromkeys(("padding", "padding_idx", "pad_token_id"), facts.padding)
        return values
    values |= dict.fromkeys(("in_features", "num_features", "input_size", "input_dim"), math.prod(facts.shape))
    values |= {"num_numeric": facts.shape[0], "cardinalities": facts.cardinalities} if len(facts.shape) == 1 else {}
    if len(facts.shape) == 3:
        channels, height, width = facts.shape
        values |= dict.fromkeys(("in_channels", "in_chans", "num_channels", "channels"), channels)
        values |= dict.fromkeys(("image_size", "img_size"), height if height == width else (height, width))
    return values


def arguments(factory: Any, facts: Facts) -> dict[str, Any]:
    """The keyword arguments to call a class or function with; what a partial has bound stays bound."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except ValueError:  # built-in callables have no signature
        return {}
    values = known(facts)
    bound = factory.keywords if isinstance(factory, functools.partial) else {}
    chosen = {}
    for p in parameters:
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) or p.name in bound:
            continue
        if p.name in values and p.kind is not p.POSITIONAL_ONLY:
            chosen[p.name] = values[p.name]
        elif p.default is p.empty:
            raise BadInput(messages.MODEL_PARAMETER, model=_name(factory), parameter=p.name, known=", ".join(sorted(values)))
    return chosen


def _name(factory: Any) -> str:
    if isinstance(factory, functools.partial):
        return _name(factory.func)
    return getattr(factory, "__qualname__", type(factory).__name__)
