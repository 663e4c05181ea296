"""Changes to a recipe from the command line: `optimizer.lr=1e-3`, `mixup.alpha=0.2`, `optimizer=lion`, with and without techniques.

Values are YAML 1.2, of the field's type. Whole fields are set before the fields inside them, so the order on the command line does not
matter; of two settings of one field the last holds. `with_` adds techniques at the end of the list, which is the innermost place.
"""

from __future__ import annotations

import ast
import dataclasses
import math
import re
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from danlu import find, messages
from danlu.describe import user_file, yaml12
from danlu.describe.annotations import RECIPE, arms, bare, field_types, is_description, kind_of
from danlu.describe.forms import check_length, check_options, convert, described
from danlu.describe.places import Places, Spot
from danlu.describe.user_file import Named
from danlu.errors import BadInput
from danlu.find.names import Phrase, snake
from danlu.find.source import FOLDERS

if TYPE_CHECKING:
    from danlu.core import Recipe

_CALL = re.compile(r"(?P<name>.+?\.py:[^\W\d]\w*|[^\s()]+)\s*(\((?P<inside>.*)\))?", re.DOTALL)


def override(recipe: Recipe, settings: Sequence[str] = (), with_: Sequence[str] = (), without: Sequence[str] = ()) -> Recipe:
    """The recipe with techniques left out, then others added, then fields set.

    settings: `field=value`, dotted. with_: `mixup`, `mixup(alpha=0.2)`, `my.py:Trick`. without: names.
    Raises BadInput, naming the setting, what was found, and what would be right.
    """
    for name in without:
        recipe = _left_out(recipe, _unquoted(name))
    for call in with_:
        spot = _spot("--with")
        technique = described("technique", parse_call("technique", _unquoted(call), spot), spot)
        recipe = dataclasses.replace(recipe, techniques=(*recipe.techniques, technique))
    pairs = [_pair(setting) for setting in settings]
    pairs.sort(key=lambda pair: len(pair[0]))
    heads = {path[0] for path, _ in pairs}
    for path, text in pairs:
        recipe = _set(recipe, path, text)
        other = {"epochs": "steps", "steps": "epochs"}.get(path[0])
        if other and other not in heads and getattr(recipe, path[0]) is not None:
            recipe = _replaced(recipe, other, None)
    if heads & {"epochs", "steps"}:
        check_length(recipe.epochs, recipe.steps, _spot())
    return recipe


def technique_name(technique: Any) -> str:
    """The name by which overrides know a technique (or a metric) of the list."""
    if isinstance(technique, Named):
        return snake(technique.__name__)
    cls = type(technique)
    return find.name_of(cls, "technique") or find.name_of(cls, "metric") or snake(cls.__name__)


def _spot(*key: str) -> Spot:
    return Spot(Places(Phrase(messages.COMMAND_LINE)), key)


def _unquoted(text: str) -> str:
    """cmd hands single quotes on as they are; nothing on this command line starts and ends with one otherwise."""
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _pair(setting: str) -> tuple[list[str], str]:
    name, equals, value = _unquoted(setting).partition("=")
    path = name.strip().split(".")
    if not equals or not all(path):
        raise _spot().wrong(messages.NO_EQUALS, setting=setting)
    return path, _unquoted(value)


def _left_out(recipe: Recipe, name: str) -> Recipe:
    wanted = snake(user_file.split(name)[1]) if user_file.is_target(name) else name
    kept = tuple(technique for technique in recipe.techniques if technique_name(technique) != wanted)
    if len(kept) == len(recipe.techniques):
        listed = ", ".join(map(technique_name, recipe.techniques)) or "-"
        raise _spot("--without").wrong(messages.NOT_REMOVABLE, name=name, names=listed)
    return dataclasses.replace(recipe, techniques=kept)


def _set(recipe: Recipe, path: list[str], text: str) -> Recipe:
    spot = _spot(*path)
    if path[0] in RECIPE and (path[0] not in ("techniques", "metrics") or len(path) == 1):
        return typing.cast("Recipe", _assigned(recipe, path, text, spot))
    rest = path[1:] if path[0] in ("techniques", "metrics") else path
    fields = [path[0]] if rest is not path else ["techniques", "metrics"]
    for field in fields:
        listed = list(getattr(recipe, field))
        places = [place for place, each in enumerate(listed) if technique_name(each) == rest[0]]
        if not places or len(rest) == 1:
            continue
        place, inside = _which(places, rest, spot)
        listed[place] = _inside(listed[place], inside, text, spot)
        return _replaced(recipe, field, tuple(listed))
    raise _unknown(recipe, rest, spot)


def _replaced(recipe: Recipe, field: str, value: Any) -> Recipe:
    changes: dict[str, Any] = {field: value}
    return dataclasses.replace(recipe, **changes)


def _which(places: list[int], path: list[str], spot: Spot) -> tuple[int, list[str]]:
    """The one of several that is meant: `mixup.1.alpha`; the number may be left out when there is one."""
    if path[1].isdecimal() and len(path) > 2 and int(path[1]) < len(places):
        return places[int(path[1])], path[2:]
    if len(places) > 1:
        raise spot.wrong(messages.WHICH_ONE, count=len(places), example=".".join((path[0], "0", *path[1:])))
    return places[0], path[1:]


def _unknown(recipe: Recipe, path: list[str], spot: Spot) -> BadInput:
    head = path[0]
    if len(path) > 1 and find.lookup("technique", head):
        return spot.wrong(messages.NOT_IN_LIST, name=head)
    inner = [f"{field}.{head}" for field in RECIPE if head in _settable(getattr(recipe, field))]
    listed = [technique_name(each) for each in (*recipe.techniques, *recipe.metrics)]
    inner += [f"{name}.{head}" for name, each in zip(listed, (*recipe.techniques, *recipe.metrics)) if head in _settable(each)]
    if inner and len(path) == 1:
        return spot.wrong(messages.UNKNOWN_SETTING, hint=Phrase(messages.DID_YOU_MEAN, name=inner[0]))
    known = [*RECIPE, *listed] if len(path) == 1 else [field for field in RECIPE if _settable(getattr(recipe, field))] + listed
    return spot.wrong(messages.UNKNOWN_SETTING, hint=find.hint(head, known))


def _settable(thing: Any) -> list[str]:
    cls: Any = type(thing)
    return list(field_types(cls)) if is_description(cls) and cls is not Named else []


def _assigned(owner: Any, path: list[str], text: str, spot: Spot) -> Any:
    """The description with one field, or a field of a field, set."""
    cls: Any = type(owner)
    types = field_types(cls)
    name, rest = path[0], path[1:]
    if name not in types:
        if not types:
            raise spot.wrong(messages.NO_FIELDS, owner=technique_name(owner))
        raise spot.wrong(messages.UNKNOWN_FIELD, hint=find.hint(name, list(types)))
    annotation = types[name][0]
    if not rest:
        return dataclasses.replace(owner, **{name: value_of(annotation, text, spot)})
    inner = getattr(owner, name)
    kind = next((kind for arm in arms(annotation) if (kind := kind_of(arm))), None)
    plain = next((bare(arm)[0] for arm in arms(annotation) if is_description(bare(arm)[0])), None)
    if plain and not is_description(type(inner)):
        inner = plain()
    if kind and (inner is None or isinstance(inner, str)):
        raise spot.wrong(messages.NOT_CHOSEN, kind=find.kind_word(kind), field=name)
    if (
        kind
        and len(rest) > 1
        and rest[0] not in _settable(inner)
        and rest[0] == (find.name_of(type(inner), kind) or snake(type(inner).__name__))
    ):
        rest = rest[1:]  # `optimizer.adamw.lr`, as errors in files call it
    return dataclasses.replace(owner, **{name: _inside(inner, rest, text, spot)})


def _inside(thing: Any, path: list[str], text: str, spot: Spot) -> Any:
    if isinstance(thing, Named):
        check_options(user_file.load(thing.target), thing.target, {path[0]: None}, Spot(spot.places, spot.key[:-1]))
        return dataclasses.replace(thing, options={**thing.options, path[0]: value_of(Any, text, spot)})
    if not is_description(type(thing)):
        raise spot.wrong(messages.NOT_SETTABLE, found=type(thing).__name__)
    return _assigned(thing, path, text, spot)


def value_of(annotation: Any, text: str, spot: Spot) -> Any:
    """The text as a value of that type; where text is wanted, what does not read otherwise is taken as it stands."""
    kinds = [kind for arm in arms(annotation) if (kind := kind_of(arm))]
    if kinds and (user_file.is_target(text) or (_CALL.fullmatch(text) and "(" in text)):
        return convert(annotation, parse_call(kinds[0], text, spot), spot)
    takes_text = any(bare(arm)[0] is str for arm in arms(annotation))
    try:
        given = yaml12.read(text, "")[0]
    except BadInput as trouble:
        if takes_text:
            return text
        raise spot.wraps(trouble.values["problem"]) from trouble
    try:
        return convert(annotation, given, spot)
    except BadInput:
        if takes_text:
            return text
        raise


# ---- mixup(alpha=0.2) ----


def parse_call(kind: str, text: str, spot: Spot) -> Any:
    """The data form of `name`, `name(field=value, ...)` or `name(value)`, where name may be `file.py:Name`."""
    found = _CALL.fullmatch(text.strip())
    if found is None:
        raise spot.wrong(messages.BAD_CALL, call=text)
    name = found["name"]
    if found["inside"] is None or not found["inside"].strip():
        return name
    try:
        call = ast.parse(f"_({found['inside']})", mode="eval").body
        assert isinstance(call, ast.Call)
        return {name: _arguments(kind, name, call, spot)}
    except (SyntaxError, ValueError, AssertionError, MemoryError, RecursionError) as error:
        raise spot.wrong(messages.BAD_CALL, call=text if len(text) < 100 else text[:97] + "...") from error


def _arguments(kind: str, name: str, call: ast.Call, spot: Spot) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if call.args:
        if kind not in FOLDERS:
            raise ValueError(kind)
        fields = _positions(kind, name, spot)
        if len(call.args) > len(fields):
            raise spot.wrong(messages.TOO_MANY_POSITIONS, name=name, most=len(fields), fields=", ".join(fields))
        values = {field: _literal(node, field, spot) for field, node in zip(fields, call.args)}
    for keyword in call.keywords:
        if keyword.arg is None or keyword.arg in values:
            raise ValueError(keyword.arg)
        values[keyword.arg] = _literal(keyword.value, keyword.arg, spot)
    return values


def _positions(kind: str, name: str, spot: Spot) -> list[str]:
    if user_file.is_target(name):
        thing = user_file.load(user_file.absolute(name, Path.cwd()))
        return list(field_types(thing)) if is_description(thing) else []
    try:
        return [field.name for field in find.find(kind, name).fields]
    except BadInput as trouble:
        raise spot.wraps(trouble) from trouble


def _literal(node: ast.expr, field: str, spot: Spot) -> Any:
    """A value in a call: a literal, a word (text), or another call (a description)."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        kind = field.removesuffix("s") if field.removesuffix("s") in FOLDERS else field
        return {node.func.id: _arguments(kind, node.func.id, node, spot)}
    if isinstance(node, ast.Tuple | ast.List):
        return [_literal(item, field, spot) for item in node.elts]
    if isinstance(node, ast.Dict):
        return {ast.literal_eval(key): _literal(value, field, spot) for key, value in zip(node.keys, node.values) if key is not None}
    if isinstance(node, ast.Name):
        words = {"none": None, "null": None, "true": True, "false": False, "inf": math.inf}
        return words.get(node.id.lower(), node.id)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Name):
        return -math.inf if node.operand.id.lower() == "inf" else ast.literal_eval(node)
    return ast.literal_eval(node)
