"""Recipes in files: `my.yaml`, `my.json`, `my.py:recipe`, or a name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from danlu import find, messages
from danlu.describe import json_lines, user_file, yaml12
from danlu.describe.annotations import RECIPE, arms, bare, choices, field_types, is_description, kind_of, ranges
from danlu.describe.forms import from_data, to_data
from danlu.describe.places import Key, Places
from danlu.errors import BadInput, say, spoken
from danlu.find.source import inherited_docs, summary

if TYPE_CHECKING:
    from danlu.core import Recipe

MOST_BYTES = 10 << 20
SUFFIXES = (".yaml", ".yml", ".json")


def load_recipe(spec: str) -> Recipe:
    """The recipe that `spec` is: a name, a YAML or JSON file, or `file.py:name` (a Recipe, or a function that returns one).

    Raises BadInput if there is no such recipe or anything in it is wrong.
    """
    if not user_file.is_target(spec) and spec.lower().endswith(SUFFIXES):
        return from_data(*read(spec))  # read before torch is imported, which takes longer than to refuse a file
    from danlu.core import Recipe

    if user_file.is_target(spec):
        thing = user_file.load(user_file.absolute(spec))
    else:
        thing = find.find("recipe", spec).load()
    made = thing() if callable(thing) and not isinstance(thing, type) else thing
    if not isinstance(made, Recipe):
        raise BadInput(messages.NOT_A_RECIPE, target=spec, found=type(made).__name__)
    return made


def read(path: str | Path) -> tuple[Any, Places]:
    """The plain data of a YAML or JSON file, and the line of every key.

    Raises BadInput, naming file and line: cannot be read, too large or deep, not UTF-8, not YAML or JSON, a repeated key, a tag or alias.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise BadInput(messages.UNKNOWN_SUFFIX, path=path)
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
            if len(raw) > MOST_BYTES:
                raise BadInput(messages.FILE_TOO_LARGE, path=path, most=MOST_BYTES, found=path.stat().st_size)
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        raise BadInput(messages.CANNOT_READ, path=path, error=getattr(error, "strerror", None) or error) from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(messages.NOT_UTF8, path=path, line=raw.count(b"\n", 0, error.start) + 1) from error
    format_ = json_lines if path.suffix.lower() == ".json" else yaml12
    data, places = format_.read(text, str(path))
    return data, Places(places.file, places.lines, path.absolute().parent)


def write(data: Any) -> str:
    """The data as YAML text, which reads back as the same data."""
    return yaml12.write(data)


def commented_yaml(recipe: Recipe) -> str:
    """The whole recipe, defaults too, as YAML with a comment for each field in the chosen language; it reads back as the same recipe."""
    data = to_data(recipe, full=True)
    notes: dict[Key, str] = {(name,): spoken(said) for name, (_, said) in RECIPE.items()}
    _note_fields(type(recipe), recipe, data, (), notes)
    return f"# {say(messages.INIT_HEADER)}\n\n" + yaml12.write(data, notes)


def _note_fields(cls: type, thing: Any, data: Mapping[str, Any], key: Key, notes: dict[Key, str]) -> None:
    docs = inherited_docs(cls) if key else {}
    for name, (annotation, _) in field_types(cls).items():
        here = (*key, name)
        said, limits = notes.get(here) or (spoken(docs[name]) if name in docs else ""), _allowed(annotation)
        notes[here] = say(messages.WITH_LIMITS, said=said, limits=limits) if said and limits else said or limits
        value, written = getattr(thing, name), data[name]
        described = any(kind_of(arm) for arm in arms(annotation))
        if isinstance(value, tuple):
            for place, (item, form) in enumerate(zip(value, written)):
                _note(item, form, True, (*here, place), notes)
        else:
            _note(value, written, described, here, notes)


def _note(thing: Any, data: Any, named: bool, key: Key, notes: dict[Key, str]) -> None:
    if not is_description(type(thing)) or not isinstance(data, Mapping):
        return
    if named:
        name, data = next(iter(data.items()))
        if not isinstance(thing, user_file.Named):
            key = (*key, name)
            notes[key] = spoken(summary(type(thing).__doc__ or ""))
            _note_fields(type(thing), thing, data, key, notes)
    else:
        _note_fields(type(thing), thing, data, key, notes)


def _allowed(annotation: Any) -> str:
    """The range or the choices of a field, in signs."""
    found = []
    for arm in arms(annotation):
        found += [str(limit) for limit in ranges(arm)]
        found += [choices(bare(arm)[0]).replace("`", "")] if getattr(bare(arm)[0], "__args__", None) and _is_literal(arm) else []
    return "; ".join(found)


def _is_literal(arm: Any) -> bool:
    from typing import Literal, get_origin

    return get_origin(bare(arm)[0]) is Literal
