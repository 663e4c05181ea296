"""What a model description takes from the facts about the data, and the sentences for facts that it cannot serve."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

from torch import nn

from danlu import messages
from danlu.data.source import Facts
from danlu.errors import BadInput

Value = TypeVar("Value")
ANSWERS = ("classify", "multilabel", "regress")  # tasks with one answer a row


def settled(model: str, field: str, said: Value | None, found: Value | None, at_least: bool = False) -> Value:
    """The value of a field that was left None or must agree with the data; with `at_least`, a number may also be larger.

    Raises BadInput when neither the field nor the data says it, or when they differ.
    """
    if said is None and found is None:
        raise BadInput(messages.NET_FIELD_MISSING, model=model, field=field)
    if said is None or found is None:
        return cast(Value, found if said is None else said)
    if said == found:
        return said
    if not at_least:
        raise BadInput(messages.NET_DISAGREES, model=model, field=field, said=said, found=found)
    if cast(int, said) < cast(int, found):
        raise BadInput(messages.NET_TOO_SMALL, model=model, field=field, said=said, found=found)
    return said


def outputs(model: str, field: str, said: int | None, facts: Facts | None) -> int:
    """Numbers that a model answers a row with: classes, labels or target columns. Raises BadInput for a task with an answer a token."""
    if facts is not None and facts.task not in ANSWERS:
        instead = "gpt" if facts.task == "language" else "bert"
        raise BadInput(messages.NET_WRONG_TASK, model=model, task=facts.task, tasks=", ".join(ANSWERS), instead=instead)
    return settled(model, field, said, facts.outputs if facts else None)


def features(model: str, field: str, said: int | None, facts: Facts | None) -> int:
    """Numbers in a row, for models of flat inputs; images are flattened. Raises BadInput for tokens and categories."""
    if facts is None:
        return settled(model, field, said, None)
    if facts.vocab is not None:
        raise BadInput(messages.NET_NEEDS_NUMBERS, model=model, found=described(facts), instead="bert, gpt")
    if facts.cardinalities:
        raise BadInput(messages.NET_NEEDS_NUMBERS, model=model, found=described(facts), instead="tabular_net")
    return settled(model, field, said, math.prod(facts.shape))


def image(model: str, facts: Facts | None) -> tuple[int, int, int] | tuple[None, None, None]:
    """(channels, height, width) of a row, or Nones without facts. Raises BadInput for rows that are no images."""
    if facts is None:
        return None, None, None
    if facts.vocab is not None or len(facts.shape) != 3:
        instead = "bert, gpt" if facts.vocab is not None else "tabular_net" if facts.cardinalities else "mlp"
        raise BadInput(messages.NET_NEEDS_IMAGES, model=model, found=described(facts), instead=instead)
    return facts.shape


def tokens(model: str, facts: Facts | None) -> tuple[int, int] | tuple[None, None]:
    """(vocabulary size, length) of a row of token ids, or Nones without facts. Raises BadInput for rows that are no tokens."""
    if facts is None:
        return None, None
    if facts.vocab is None or len(facts.shape) != 1:
        instead = "vit, resnet, cnn" if len(facts.shape) == 3 else "tabular_net" if facts.cardinalities else "mlp, tabular_net"
        raise BadInput(messages.NET_NEEDS_TOKENS, model=model, found=described(facts), instead=instead)
    return facts.vocab, facts.shape[0]


def divides(model: str, whole: str, whole_value: int, part: str, part_value: int) -> None:
    """Raises BadInput unless the whole is a multiple of the part."""
    if whole_value % part_value:
        raise BadInput(messages.NET_DIVIDES, model=model, whole=whole, whole_value=whole_value, part=part, part_value=part_value)


def described(facts: Facts) -> str:
    """The facts about a row in the words of `Facts`."""
    words = {"shape": facts.shape, "vocab": facts.vocab, "cardinalities": facts.cardinalities}
    return ", ".join(f"{name}={value}" for name, value in words.items() if value)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Eval mode inside; afterwards every module is in the mode it was in, frozen parts included."""
    training = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, mode in training.items():
            module.training = mode
