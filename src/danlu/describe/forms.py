"""Descriptions <-> plain data, strictly, by the annotations of their fields.

The data form of a description is its name, or `{name: {field: value}}`; that of a recipe is a mapping of its fields. Only a name that
`find` knows, or a user's `file.py:Name`, builds anything. `from_data(to_data(recipe)) == recipe`.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import types
import typing
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from danlu import find, messages
from danlu.describe import user_file
from danlu.describe.annotations import (
    REQUIRED,
    arms,
    bare,
    choices,
    field_types,
    is_description,
    is_list,
    is_mapping,
    item_types,
    kind_of,
    ranges,
    show,
    wanted,
    written,
)  # fmt: skip
from danlu.describe.places import Places, Spot
from danlu.describe.user_file import Named
from danlu.errors import BadInput

if TYPE_CHECKING:
    from danlu.core import Recipe


# ---- data -> descriptions ----


def from_data(data: Any, places: Places | None = None) -> Recipe:
    """The recipe that the data describes. Raises BadInput, naming file, line and key, for anything that is not exactly right."""
    from danlu.core import Recipe

    spot = Spot(places or Places())
    if not isinstance(data, Mapping):
        raise spot.wrong(messages.EMPTY_RECIPE) if data is None else spot.wrong(messages.WRONG_TYPE, wanted=wanted(dict), found=show(data))
    for key in data:
        if key not in field_types(Recipe) and (owner := _owner(key, data)):
            raise spot.at(key).wrong(messages.UNKNOWN_FIELD, hint=find.hint(owner, [owner]))
    recipe = make(Recipe, data, spot)
    check_length(recipe.epochs, recipe.steps, spot)
    return typing.cast("Recipe", recipe)


def check_length(epochs: Any, steps: Any, spot: Spot) -> None:
    if (epochs is None) == (steps is None):
        problem = BadInput(messages.EPOCHS_OR_STEPS, epochs=show(epochs), steps=show(steps))
        raise (spot.at("steps") if steps is not None else spot).wraps(problem)


def _owner(key: str, data: Mapping[str, Any]) -> str | None:
    """Where a field that was written at the top belongs, by the names that the recipe chose: `optimizer.adamw.lr`."""
    for kind in ("optimizer", "schedule", "model", "data", "loss", "placement"):
        chosen = data.get(kind)
        name = next(iter(chosen), None) if isinstance(chosen, Mapping) else chosen
        found = find.lookup(kind, name) if isinstance(name, str) else None
        if found and any(field.name == key for field in found.fields):
            return f"{kind}.{name}.{key}"
    return None


def convert(annotation: Any, given: Any, spot: Spot) -> Any:
    """`given` as a value of the annotated type. Raises BadInput."""
    alternatives = arms(annotation)
    if len(alternatives) == 1:
        return _convert(alternatives[0], given, spot)
    fitting = [arm for arm in alternatives if _fits(arm, given)]
    if not fitting:
        raise spot.wrong(messages.WRONG_TYPE, wanted=wanted(annotation), found=show(given))
    for arm in sorted(fitting, key=lambda arm: bare(arm)[0] is not type(given))[:-1]:
        try:
            return _convert(arm, given, spot)
        except BadInput:
            continue
    return _convert(sorted(fitting, key=lambda arm: bare(arm)[0] is not type(given))[-1], given, spot)


def _fits(arm: Any, given: Any) -> bool:
    """Whether the form of `given` is that of the type, whatever its value."""
    base, _ = bare(arm)
    if kind_of(arm):
        return isinstance(given, str | Mapping)
    if typing.get_origin(base) is Literal:
        return any(type(choice) is type(given) for choice in typing.get_args(base))
    if is_list(base):
        return isinstance(given, list | tuple)
    if is_mapping(base) or is_description(base):
        return isinstance(given, Mapping)
    if base in (int, float):
        return isinstance(given, int | float) and not isinstance(given, bool)
    return base is Any or isinstance(given, base)


def _convert(annotation: Any, given: Any, spot: Spot) -> Any:
    base, _ = bare(annotation)
    if kind := kind_of(annotation):
        return described(kind, given, spot)
    if typing.get_origin(base) is Literal:
        return _choice(base, given, spot)
    if base in (int, float):
        return _number(annotation, given, spot)
    if base is Any:
        return _plain(given, spot)
    form = written(annotation)
    if not _fits(annotation, given) or (form and not form.holds(given)):
        raise spot.wrong(messages.WRONG_TYPE, wanted=wanted(annotation), found=show(given))
    if is_description(base):
        return make(base, given, spot)
    if is_mapping(base):
        inner = (*typing.get_args(base), Any, Any)[1]
        return {key: convert(inner, value, spot.at(key)) for key, value in given.items()}
    if is_list(base):
        types_ = item_types(base, len(given))
        if types_ is None:
            raise spot.wrong(messages.WRONG_LENGTH, length=len(typing.get_args(base)), found=len(given))
        return tuple(convert(each, value, spot.at(place)) for place, (each, value) in enumerate(zip(types_, given)))
    return given


def _number(annotation: Any, given: Any, spot: Spot) -> int | float:
    base, say = bare(annotation)[0], wanted(annotation)
    if base is float and given in (".inf", "-.inf"):  # JSON has no infinity
        given = math.inf if given == ".inf" else -math.inf
    if isinstance(given, bool) or not isinstance(given, int | float):
        quoted = isinstance(given, str) and _reads_as_number(given)
        raise spot.wrong(messages.NUMBER_IN_QUOTES if quoted else messages.WRONG_TYPE, wanted=say, found=show(given))
    if base is int and isinstance(given, float):
        if given.is_integer():
            raise spot.wrong(messages.NOT_WHOLE, wanted=say, found=show(given), whole=int(given))
        raise spot.wrong(messages.WRONG_TYPE, wanted=say, found=show(given))
    try:
        value = base(given)
    except OverflowError:
        raise spot.wrong(messages.OUT_OF_RANGE, wanted=say, found=show(given)) from None
    limits = ranges(annotation)
    endless = isinstance(value, float) and not math.isfinite(value) and not limits  # infinity only where a range is open to it
    if endless or not all(limit.holds(value) for limit in limits):
        raise spot.wrong(messages.OUT_OF_RANGE, wanted=say, found=show(given))
    return typing.cast("int | float", value)


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _choice(base: Any, given: Any, spot: Spot) -> Any:
    allowed = typing.get_args(base)
    for choice in allowed:
        if choice == given and type(choice) is type(given):
            return choice
    hint = find.hint(given, [choice for choice in allowed if isinstance(choice, str)]) if isinstance(given, str) else None
    if hint is None:
        raise spot.wrong(messages.WRONG_TYPE, wanted=wanted(base), found=show(given))
    raise spot.wrong(messages.NOT_A_CHOICE, choices=choices(base), found=show(given), hint=hint)


def _plain(given: Any, spot: Spot) -> Any:
    """A value of no stated type: lists become tuples."""
    if isinstance(given, Mapping):
        return {key: _plain(value, spot.at(key)) for key, value in given.items()}
    if isinstance(given, list | tuple):
        return tuple(_plain(value, spot.at(place)) for place, value in enumerate(given))
    if given is None or isinstance(given, bool | int | str) or (isinstance(given, float) and not math.isnan(given)):
        return given
    raise spot.wrong(messages.WRONG_TYPE, wanted=wanted(Any), found=show(given))


def described(kind: str, given: Any, spot: Spot) -> Any:
    """The description of that kind that a name, or `{name: {field: value}}`, stands for."""
    if isinstance(given, Mapping) and len(given) != 1:
        raise spot.wrong(messages.ONE_NAME, found=len(given), names=", ".join(map(show, given)) or "-")
    name, fields = next(iter(given.items())) if isinstance(given, Mapping) else (given, None)
    if not isinstance(name, str):
        raise spot.wrong(messages.WRONG_TYPE, wanted=wanted(typing.Annotated[Any, kind]), found=show(given))
    inner = spot.at(name)
    if not isinstance(fields, Mapping | None):
        raise inner.wrong(messages.WRONG_TYPE, wanted=wanted(dict), found=show(fields))
    try:
        thing = user_file.load(target) if (target := _target(name, spot)) else find.find(kind, name).load()
    except BadInput as trouble:
        raise spot.wraps(trouble) from trouble
    if target:
        return _named(kind, thing, target, fields or {}, inner)
    return make(thing, fields or {}, inner)


def _target(name: str, spot: Spot) -> str | None:
    return user_file.absolute(name, spot.places.folder) if user_file.is_target(name) else None


def _named(kind: str, thing: Any, target: str, fields: Mapping[str, Any], spot: Spot) -> Any:
    """A user's own thing: a description stays one, anything else is called through a `Named`."""
    from danlu.core import Technique

    if is_description(thing) and (kind != "technique" or issubclass(thing, Technique)):
        return make(thing, fields, spot)
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type) and (kind != "technique" or isinstance(thing, Technique)):
        if fields:
            raise spot.wrong(messages.NO_OPTIONS, target=target)
        return thing
    if kind == "technique":
        raise spot.wrong(messages.NOT_A_TECHNIQUE, target=target)
    if fields:
        check_options(thing, target, fields, spot)
    return Named(target, {key: _plain(value, spot.at(key)) for key, value in fields.items()})


def check_options(thing: Any, target: str, fields: Mapping[str, Any], spot: Spot) -> None:
    """Every option must be a parameter of what a user's name stands for."""
    if not callable(thing) or not isinstance(thing, type | types.FunctionType):
        raise spot.wrong(messages.NO_OPTIONS, target=target)
    parameters = inspect.signature(thing).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return
    known = [p.name for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)]
    for key in fields:
        if key not in known:
            raise spot.at(key).wrong(messages.UNKNOWN_FIELD, hint=find.hint(key, known))


def make(cls: Any, given: Mapping[str, Any], spot: Spot) -> Any:
    """The description of that class with those fields. Raises BadInput for an unknown or missing field, or a value that is not right."""
    known = field_types(cls)
    for key in given:
        if key not in known:
            if not known:
                raise spot.at(str(key)).wrong(messages.NO_FIELDS, owner=spot.key[-1] if spot.key else cls.__name__)
            raise spot.at(str(key)).wrong(messages.UNKNOWN_FIELD, hint=find.hint(str(key), list(known)))
    for key, (annotation, default) in known.items():
        if default is REQUIRED and key not in given:
            raise spot.wrong(messages.MISSING_FIELD, field=key, wanted=wanted(annotation))
    values = {key: convert(known[key][0], value, spot.at(key)) for key, value in given.items()}
    try:
        return cls(**values)
    except BadInput as trouble:
        raise spot.wraps(trouble) from trouble
    except (TypeError, ValueError) as error:  # a user's own __post_init__
        raise spot.wrong(messages.CANNOT_MAKE, name=cls.__name__, error=error) from error


# ---- descriptions -> data ----


def to_data(recipe: Recipe, *, full: bool = False, opaque: bool = False) -> dict[str, Any]:
    """The data form of a recipe: the fields that are not at their defaults, or all of them if `full`.

    What has no written form (a function or class of a module, an object) raises BadInput, or, if `opaque`, is written as
    `python:module.name`, which tells it apart in a record but builds nothing.
    """
    return _fields_data(recipe, Spot(Places()), full, opaque)


def to_plain(annotation: Any, value: Any) -> Any:
    """The data form of one field's value."""
    return _data(annotation, value, Spot(Places()), False, False)


def _fields_data(thing: Any, spot: Spot, full: bool, opaque: bool) -> dict[str, Any]:
    cls: Any = type(thing)
    found = {}
    for name, (annotation, default) in field_types(cls).items():
        value = getattr(thing, name)
        if full or default is REQUIRED or not same(value, default):
            found[name] = _data(annotation, value, spot.at(name), full, opaque)
    return found


def same(value: Any, default: Any) -> bool:
    """Equal, and of the same type where that is told apart (True is not 1)."""
    return value is default or (isinstance(value, bool) == isinstance(default, bool) and _equal(value, default))


def _equal(value: Any, default: Any) -> bool:
    plain = bool | int | float | str | tuple | None  # type: ignore[type-arg]
    if isinstance(value, plain):
        return isinstance(default, plain) and value == default
    return type(value) is type(default) and bool(value == default)


def _data(annotation: Any, value: Any, spot: Spot, full: bool, opaque: bool) -> Any:
    alternatives = arms(annotation)
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return int(value) if isinstance(value, int) else float(value)
    if kind := next((kind for arm in alternatives if (kind := kind_of(arm))), None):
        return _described_data(kind, value, spot, full, opaque)
    if isinstance(value, list | tuple):
        lists = [bare(arm)[0] for arm in alternatives if is_list(bare(arm)[0])]
        inner = next((found for each in lists if (found := item_types(each, len(value)))), [Any] * len(value))
        return [_data(each, item, spot.at(place), full, opaque) for place, (each, item) in enumerate(zip(inner, value))]
    if isinstance(value, Mapping):
        return {key: _data(Any, item, spot.at(key), full, opaque) for key, item in value.items()}
    if any(type(value) is bare(arm)[0] for arm in alternatives):
        return _fields_data(value, spot, full, opaque)
    return _opaque(value, spot, opaque)


def _described_data(kind: str, value: Any, spot: Spot, full: bool, opaque: bool) -> Any:
    if isinstance(value, Named):
        options = {key: _data(Any, option, spot.at(key), full, opaque) for key, option in value.options.items()}
        return {value.target: options} if options else value.target
    if is_description(type(value)):
        cls = type(value)
        name = find.name_of(cls, kind) or user_file.target_of(cls) or _opaque(cls, spot, opaque)
        fields = _fields_data(value, spot.at(name), full, opaque)
        return {name: fields} if fields else name
    return user_file.target_of(value) or _opaque(value, spot, opaque)


def _opaque(value: Any, spot: Spot, allowed: bool) -> str:
    thing: Any = value if isinstance(value, type | Callable) and hasattr(value, "__qualname__") else type(value)
    name = f"{thing.__module__}.{thing.__qualname__}"
    if not allowed:
        raise spot.wrong(messages.NO_DATA_FORM, found=name)
    return f"python:{name}"
