"""The JSON Schema (draft 2020-12) of a recipe file, for editors, made from the same annotations that recipes are read by.

Descriptions are in the chosen language. It says all that a schema can: not that `.inf` may be written in JSON as text, nor that 1e3 is
refused for a whole number.
"""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal

from danlu import find
from danlu.describe.annotations import (
    RECIPE,
    REQUIRED,
    arms,
    bare,
    field_types,
    is_description,
    is_list,
    is_mapping,
    kind_of,
    ranges,
    written,
)
from danlu.describe.forms import to_plain
from danlu.errors import Sentence, spoken
from danlu.find.source import FOLDERS, Found, inherited_docs

TARGET = r"\.py:[A-Za-z_][A-Za-z0-9_]*$"
PLAIN = {bool: "boolean", int: "integer", float: "number", str: "string", types.NoneType: "null"}


def schema() -> dict[str, Any]:
    """The schema of what `recipe_file.read` may return for a recipe that `from_data` accepts."""
    from danlu.core import Recipe

    kinds = [kind for kind in FOLDERS if kind != "recipe"]
    top = _fields(Recipe, {name: said for name, (_, said) in RECIPE.items()})
    given = {"not": {"type": "null"}}
    found = [each for kind in kinds for each in find.catalogue(kind)]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "danlu recipe",
        **top,
        "oneOf": [{"required": [name], "properties": {name: given}} for name in ("epochs", "steps")],
        "$defs": {kind: _kind(kind) for kind in kinds} | {f"{each.kind}.{each.name}": _found(each) for each in found},
    }


def _kind(kind: str) -> dict[str, Any]:
    """A name, or one name with its fields; a user's own `file.py:Name` in either place."""
    listed = find.catalogue(kind)
    alone = [found.name for found in listed if not _found(found).get("required")]
    fields = {found.name: {"anyOf": [{"$ref": f"#/$defs/{kind}.{found.name}"}, *_nothing(found)]} for found in listed}
    return {
        "anyOf": [
            {"type": "string", "anyOf": [{"enum": alone}, {"pattern": TARGET}]},
            {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "properties": fields,
                "patternProperties": {TARGET: {"type": ["object", "null"]}},
                "additionalProperties": False,
            },
        ]
    }


def _nothing(found: Found) -> list[dict[str, Any]]:
    return [] if _found(found).get("required") else [{"type": "null"}]


def _found(found: Found) -> dict[str, Any]:
    cls = found.load()
    if not is_description(cls):  # an entry point may be any callable
        return {"type": "object", "description": spoken(found.said)}
    return {"description": spoken(found.said), **_fields(cls, inherited_docs(cls))}


def _fields(cls: type, docs: Mapping[str, Sentence]) -> dict[str, Any]:
    properties, required = {}, []
    for name, (annotation, default) in field_types(cls).items():
        properties[name] = _type(annotation)
        if name in docs:
            properties[name]["description"] = spoken(docs[name])
        if default is REQUIRED:
            required.append(name)
        elif default not in (math.inf, -math.inf):  # which JSON cannot write
            properties[name]["default"] = to_plain(annotation, default)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _type(annotation: Any) -> dict[str, Any]:
    found = [_arm(arm) for arm in arms(annotation)]
    return found[0] if len(found) == 1 else {"anyOf": found}


def _arm(arm: Any) -> dict[str, Any]:
    base, _ = bare(arm)
    if kind := kind_of(arm):
        return {"$ref": f"#/$defs/{kind}"}
    if typing.get_origin(base) is Literal:
        return {"enum": list(typing.get_args(base))}
    if base in PLAIN:
        return {"type": PLAIN[base], **_limits(arm)}
    if is_list(base):
        inside = typing.get_args(base) or (Any, ...)
        if inside[-1] is ...:
            return {"type": "array", "items": _type(inside[0])}
        return {"type": "array", "prefixItems": [_type(each) for each in inside], "items": False, "minItems": len(inside)}
    if is_mapping(base):
        return {"type": "object", "additionalProperties": _type((*typing.get_args(base), Any, Any)[1])}
    if is_description(base):
        return _fields(base, inherited_docs(base))
    return {}


def _limits(arm: Any) -> dict[str, Any]:
    form = written(arm)
    found: dict[str, Any] = {"pattern": f"^({form.pattern})$"} if form else {}
    for limit in ranges(arm):
        if limit.low is not None:
            found["exclusiveMinimum" if limit.open_low else "minimum"] = limit.low
        if limit.high is not None and math.isfinite(limit.high):
            found["exclusiveMaximum" if limit.open_high else "maximum"] = limit.high
    return found
