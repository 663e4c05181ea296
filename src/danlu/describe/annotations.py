"""What each field of a description may hold: its annotation, read once, in the words of errors and help.

An annotation is bool, int, float, str, a `Literal`, a tuple of these, a dict from text, a dataclass, a union of these, each maybe with a
`Range` (`fields.py`). A field that holds another description is `Any` and has the name of its kind (`model: Any`, also `metrics:
tuple[Any, ...]`), or says the kind: `teacher: Annotated[Any, "model"]`. Any other `Any` is a plain value.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union

from danlu import messages
from danlu.errors import Sentence
from danlu.fields import NonNegativeInt, PositiveInt, Range, Written
from danlu.find import kind_word
from danlu.find.names import Phrase
from danlu.find.source import FOLDERS

REQUIRED: Any = dataclasses.MISSING

# What core.Recipe's fields hold; core itself says only that they are callables that do the same.
RECIPE: dict[str, tuple[Any, Sentence]] = {
    "model": (Annotated[Any, "model"], Sentence("what is trained", "要训练的模型")),
    "data": (Annotated[Any, "data"], Sentence("what it is trained on", "训练所用的数据")),
    "loss": (
        Literal["auto"] | Annotated[Any, "loss"],
        Sentence("what is minimised; auto takes the usual one of the data's task", "要最小化的损失；auto 按数据的任务取常用的一种"),
    ),
    "optimizer": (
        Annotated[Any, "optimizer"] | None,
        Sentence("what moves the parameters; null takes adamw", "更新参数的优化器；null 为 adamw"),
    ),
    "schedule": (
        Annotated[Any, "schedule"] | None,
        Sentence("how the learning rate runs; null keeps it constant", "学习率如何变化；null 为保持不变"),
    ),
    "techniques": (tuple[Annotated[Any, "technique"], ...], Sentence("the first is the outermost", "技巧列表；第一个在最外层")),
    "placement": (
        Annotated[Any, "placement"] | None,
        Sentence("where the model lives; null is one process", "模型放在哪里；null 为单进程"),
    ),
    "precision": (Literal["fp32", "fp64", "bf16", "fp16"], Sentence("what numbers the model computes in", "模型计算所用的数值精度")),
    "epochs": (
        Annotated[float, Range(0, 1e9, open_low=True)] | None,
        Sentence("passes over the data; exactly one of epochs and steps", "遍历数据的轮数；与 steps 二者必填其一，且只填其一"),
    ),
    "steps": (PositiveInt | None, Sentence("steps in all; exactly one of epochs and steps", "总步数；与 epochs 二者必填其一，且只填其一")),
    "batch_size": (PositiveInt, Sentence("rows of a step, over all processes", "每步的行数，所有进程合计")),
    "micro_batch_size": (
        PositiveInt | None,
        Sentence("rows that are evaluated at once; null is all of the step's", "一次送入模型的行数（微批大小）；null 为该步的全部行"),
    ),
    "validate": (None, Sentence("how validation is done; false for not at all", "如何验证；false 为不验证")),
    "metrics": (
        tuple[Annotated[Any, "metric"], ...],
        Sentence("what is measured on held-out data; none takes the usual ones of the task", "留出数据上的指标；不写则按任务取常用的"),
    ),
    "seed": (NonNegativeInt, Sentence("where all randomness starts", "一切随机性的起点（随机种子）")),
    "device": (str, Sentence("auto takes the accelerator that is there, else the CPU", "auto 用本机的加速器，没有则用 CPU")),
}  # fmt: skip


@functools.cache
def field_types(cls: Any) -> dict[str, tuple[Any, Any]]:
    """(annotation, default) of each field that the constructor takes; the default is `REQUIRED` where there is none."""
    from danlu import core

    found = {}
    for field in dataclasses.fields(cls):
        if field.init:
            annotation = _recipe_type(field.name) if cls is core.Recipe else _resolved(cls, field)
            factory: Any = field.default_factory
            found[field.name] = annotation, field.default if factory is REQUIRED else factory()
    return found


def _recipe_type(name: str) -> Any:
    if name == "validate":
        from danlu.techniques.reports.validate import Validate

        return Literal[False] | Validate | None
    return RECIPE[name][0]


def _resolved(cls: type, field: dataclasses.Field[Any]) -> Any:
    annotation: Any = field.type
    if isinstance(annotation, str):  # only this one is resolved: another may need names that exist for type checkers alone
        owner = next(base for base in cls.__mro__ if field.name in vars(base).get("__annotations__", {}))
        holder = types.SimpleNamespace(__annotations__={field.name: annotation})
        annotation = typing.get_type_hints(holder, vars(sys.modules[owner.__module__]), include_extras=True)[field.name]
    singular = field.name.removesuffix("s")
    if field.name in FOLDERS and annotation in (Any, Any | None):
        described = Annotated[Any, field.name]
        return described | None if field.default is None else described
    return tuple[Annotated[Any, singular], ...] if singular in FOLDERS and annotation == tuple[Any, ...] else annotation


def arms(annotation: Any) -> list[Any]:
    """The alternatives of a union, those that name a description last; anything else is its own only one. Ranges stay with numbers."""
    base, extras = bare(annotation)
    if typing.get_origin(base) in (Union, types.UnionType):
        inner = [Annotated[(arm, *extras)] if extras and arm is not types.NoneType else arm for arm in typing.get_args(base)]
        return sorted((found for arm in inner for found in arms(arm)), key=lambda arm: kind_of(arm) is not None)
    return [annotation]


def bare(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """The annotation without what `Annotated` adds to it, and that."""
    if typing.get_origin(annotation) is Annotated:
        return annotation.__origin__, annotation.__metadata__
    return annotation, ()


def kind_of(annotation: Any) -> str | None:
    """The kind of description that the annotation (no union) asks for, if it does."""
    return next((extra for extra in bare(annotation)[1] if isinstance(extra, str) and extra in FOLDERS), None)


def ranges(annotation: Any) -> list[Range]:
    return [extra for extra in bare(annotation)[1] if isinstance(extra, Range)]


def written(annotation: Any) -> Written | None:
    """The form that a text must have, if it must have one."""
    return next((extra for extra in bare(annotation)[1] if isinstance(extra, Written)), None)


def item_types(annotation: Any, length: int) -> list[Any] | None:
    """The annotation of each of `length` items of a tuple type; None when it must have another length."""
    inside = typing.get_args(annotation) or (Any, ...)
    if inside[-1] is ...:
        return [inside[0]] * length
    return list(inside) if len(inside) == length else None


def wanted(annotation: Any) -> Any:
    """What may stand there, in words."""
    words = [_wanted(arm) for arm in arms(annotation)]
    text = words[0]
    for word in words[1:]:
        text = Phrase(messages.OR, first=text, second=word)
    return text


def _wanted(annotation: Any) -> Any:
    base, _ = bare(annotation)
    limits = " and ".join(map(str, ranges(annotation)))
    if kind := kind_of(annotation):
        return Phrase(messages.A_NAME, kind=kind_word(kind))
    if base is float:
        return Phrase(messages.A_NUMBER_IN, range=limits) if limits else Phrase(messages.A_NUMBER)
    if base is int:
        return Phrase(messages.A_WHOLE_NUMBER_IN, range=limits) if limits else Phrase(messages.A_WHOLE_NUMBER)
    if form := written(annotation):
        return Phrase(messages.A_TEXT_LIKE, like=form.like)
    if base in _PLAIN_WORDS:
        return Phrase(_PLAIN_WORDS[base])
    if typing.get_origin(base) is Literal:
        return Phrase(messages.A_CHOICE, choices=choices(base)) if len(typing.get_args(base)) > 1 else choices(base)
    if is_list(base):
        inside = [arg for arg in typing.get_args(base) if arg is not ...] or [Any]
        same = all(arg == inside[0] for arg in inside)
        return Phrase(messages.A_LIST, items=wanted(inside[0] if same else Union[tuple(inside)]))  # noqa: UP007
    return Phrase(messages.A_MAPPING)


_PLAIN_WORDS = {str: messages.A_TEXT, bool: messages.TRUE_OR_FALSE, types.NoneType: messages.NULL, Any: messages.A_VALUE}


def choices(annotation: Any) -> str:
    """The values of a Literal, as they are written."""
    return ", ".join(f"`{show(value)}`" for value in typing.get_args(annotation))


def is_list(base: Any) -> bool:
    return base is tuple or typing.get_origin(base) in (tuple, list)


def is_mapping(base: Any) -> bool:
    return base is dict or typing.get_origin(base) in (dict, Mapping)


def is_description(base: Any) -> bool:
    return isinstance(base, type) and dataclasses.is_dataclass(base)


def show(value: Any) -> str:
    """A value as a recipe would have it, cut to one short line."""
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    text = value if isinstance(value, str) else repr(value).replace("'", '"') if isinstance(value, list | dict) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
