"""The range and the choices that a field's annotation says, read from source: nothing that the source imports is imported.

A name in it is one of `danlu.fields`, or is looked up as Python would: in the module where it stands, in the one that this imports it from,
and, for a field that is inherited, in the modules of the base classes.
"""

from __future__ import annotations

import ast
import functools
import json
import math
import operator
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from danlu import fields

PACKAGES = Path(__file__).parents[2]  # the folder that holds danlu
_SIGNS: dict[type, Any] = {ast.LShift: operator.lshift, ast.Pow: operator.pow, ast.Mult: operator.mul, ast.USub: operator.neg}


def limits(annotation: str, path: str) -> str:
    """In signs; "" where it says none. `path`: the file where the description is."""
    return "; ".join(dict.fromkeys(_said(ast.parse(annotation, mode="eval").body, Path(path))))


def plain(source: str) -> str:
    """A value in Python's source as a recipe would have it."""
    words = {"None": "null", "True": "true", "False": "false", "()": "[]", "inf": ".inf", "field(default_factory=dict)": "{}"}
    if source in words:
        return words[source]
    try:
        value = ast.literal_eval(source)
    except ValueError:
        return source
    if isinstance(value, tuple):
        return f"[{', '.join(plain(repr(item)) for item in value)}]"
    if isinstance(value, str):
        return value if value.isidentifier() else json.dumps(value, ensure_ascii=False)
    return source


def _said(node: ast.AST, path: Path) -> Iterator[str]:
    match node:
        case ast.Name(name):
            known = getattr(fields, name, None)
            if get_origin(known) is Annotated:
                yield from (str(extra) for extra in get_args(known)[1:] if isinstance(extra, fields.Range))
            elif alias := _alias(name, path):
                yield from _said(*alias)
        case ast.Subscript(ast.Name("Literal"), inside):
            yield ", ".join(plain(ast.unparse(each)) for each in (inside.elts if isinstance(inside, ast.Tuple) else [inside]))
        case ast.Call(ast.Name("Range"), given, named):
            with suppress(LookupError):  # a bound that only running the module would tell
                yield str(fields.Range(*map(_value, given), **{each.arg: _value(each.value) for each in named if each.arg}))
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _said(child, path)


def _alias(name: str, path: Path, asked: tuple[Path, ...] = ()) -> tuple[ast.AST, Path] | None:
    """What the name stands for in the module at `path`, and the file that says so. `asked`: modules on the way, which may be a ring."""
    tree = _tree(path)
    for line in tree.body:
        if isinstance(line, ast.Assign) and any(isinstance(target, ast.Name) and target.id == name for target in line.targets):
            return line.value, path
    imports = [line for line in tree.body if isinstance(line, ast.ImportFrom)]
    origins = {each.asname or each.name: (line, each.name) for line in imports for each in line.names}
    bases = [ast.unparse(base) for line in tree.body if isinstance(line, ast.ClassDef) for base in line.bases]
    for here in (name, *bases):
        if here in origins:
            line, there = origins[here]
            file = _file(line, path)
            if file and file not in asked and (alias := _alias(there if here == name else name, file, (*asked, path))):
                return alias
    return None


def _file(line: ast.ImportFrom, path: Path) -> Path | None:
    """The file that a line imports from, of danlu or beside `path`."""
    parts = (line.module or "").split(".")
    homes = [path.parents[line.level - 1]] if line.level else [PACKAGES, *path.parents]
    files = [home.joinpath(*parts[:-1], f"{parts[-1]}.py") for home in homes]
    return next((file for file in files if file.is_file()), None)


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8")) if path.is_file() else ast.Module([], [])


def _value(node: ast.AST) -> Any:
    """A number or truth as it is written: -1, 1 << 20, inf. Raises LookupError for anything else."""
    match node:
        case ast.Constant(value):
            return value
        case ast.UnaryOp(sign, inner):
            return _SIGNS[type(sign)](_value(inner))
        case ast.BinOp(left, sign, right):
            return _SIGNS[type(sign)](_value(left), _value(right))
    return {"inf": math.inf, "math.inf": math.inf}[ast.unparse(node)]
