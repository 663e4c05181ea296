"""Law 1: a technique is a description, and nothing else."""

from __future__ import annotations

import ast
import dataclasses
import math
import re
from typing import Any

from danlu.core import Recipe, Technique
from danlu.describe.annotations import field_types
from danlu.describe.forms import make, to_plain
from danlu.describe.places import Places, Spot


def description(technique: Technique, recipe: Recipe) -> None:
    """1: a dataclass of plain values; repr and the data form rebuild it; no logic in the constructor."""
    kind = type(technique)
    name = kind.__name__
    assert dataclasses.is_dataclass(kind), f"{name} is not a dataclass"
    own = vars(kind)
    assert "__post_init__" not in own, f"{name} has logic in __post_init__"
    assert kind.__init__.__code__.co_filename == "<string>", f"{name} writes its own __init__"  # what dataclass generates
    for field in dataclasses.fields(technique):
        assert _plain(getattr(technique, field.name)), f"{name}.{field.name} is not a plain value"
    rebuilt = eval_repr(technique)
    assert rebuilt == technique, f"repr of {name} does not rebuild it: {technique!r}"
    form = {key: to_plain(annotation, getattr(technique, key)) for key, (annotation, _) in field_types(kind).items()}
    assert make(kind, form, Spot(Places())) == technique, f"the data form of {name} does not rebuild it: {form}"


def eval_repr(value: Any) -> Any:
    """What the repr of a dataclass of plain values says, built again from its syntax tree (nothing is executed)."""
    text = re.sub(r"[\w.]+\.<locals>\.", "", repr(value))  # a class that was made in a function
    try:
        return _built(ast.parse(text, mode="eval").body, value)
    except (SyntaxError, TypeError, ValueError) as error:
        raise AssertionError(f"repr of {type(value).__name__} does not rebuild it: {value!r}") from error


def _built(node: ast.expr, like: Any) -> Any:
    """The value that `node` writes; a call makes another of the dataclass that `like` is."""
    if isinstance(node, ast.Call):
        return type(like)(**{word.arg: _built(word.value, getattr(like, word.arg)) for word in node.keywords if word.arg})
    if isinstance(node, ast.Tuple):
        return tuple(_built(item, part) for item, part in zip(node.elts, like, strict=True))
    if isinstance(node, ast.UnaryOp):
        return -_built(node.operand, like)
    return math.inf if isinstance(node, ast.Name) and node.id == "inf" else ast.literal_eval(node)


def _plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(_plain(item) for item in value)
    return value is None or isinstance(value, bool | int | float | str) or dataclasses.is_dataclass(value)
