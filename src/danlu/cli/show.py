"""`danlu show`: what a name is, its fields with their ranges and defaults, and how to use it. Does not import torch."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Annotated, get_args, get_origin

from danlu import fields, messages
from danlu.cli.chosen import JSON, ROW, SEAM, chosen, record, seam_word, summary
from danlu.cli.parse import Command, Given, columns
from danlu.cli.text import aligned, wrapped
from danlu.errors import BadInput, say
from danlu.find.source import Field, Found

COMMAND = Command("show", messages.ABOUT_SHOW, "NAME|KIND", most=1, flags=(SEAM, ROW, JSON), more=messages.MORE_SHOW)


def run(words: list[str], given: Given) -> int:
    if not words and given["--seam"] is None and given["--row"] is None:
        raise BadInput(messages.MISSING_WORD, name=COMMAND.name, word=COMMAND.words)
    found = chosen(words, given)
    if given["--json"]:
        print(json.dumps([record(each) | {"about": about(each)} for each in found], ensure_ascii=False, indent=1))
    else:
        print("\n\n".join(page(each) for each in found))
    return 0


def page(found: Found) -> str:
    """Everything that the source says about one name."""
    wide = columns()
    head = [found.name, say(messages.KINDS[found.kind])]
    head += [seam_word(found.seam)] if found.seam else []
    head += [say(messages.SCOPE_ROWS, rows=", ".join(found.scope))] if found.scope else []
    parts = [" · ".join(head)]
    parts.append("\n".join(f"  {line}" for line in wrapped(summary(found), wide - 2)))
    said = about(found)
    if said and said != found.summary:
        parts.append("\n".join(f"  {line}".rstrip() for paragraph in said.split("\n") for line in wrapped(paragraph, wide - 2)))
    if found.fields:
        parts.append(aligned([(f"{f.name} = {_default(f)}", _about(f)) for f in found.fields], wide))
    parts.append(aligned([(say(messages.SHOW_USE), use(found)), (say(messages.SHOW_SOURCE), f"{found.path}:{found.line}")], wide))
    return "\n\n".join(part for part in parts if part)


def about(found: Found) -> str:
    """What the docstrings say beyond the fields: the module's for a technique (when it helps, what it costs), else the class's own."""
    if not found.path:
        return ""
    tree = ast.parse(Path(found.path).read_text("utf-8"))
    node = next((n for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef) and n.name == found.attribute), None)
    said = (ast.get_docstring(tree) if found.kind == "technique" else ast.get_docstring(node) if node else "") or ""
    kept: list[str] = []
    skipping = False
    for line in said.splitlines():
        known = re.match(r"(Scope|中文)[:：]|([a-z_][a-z0-9_]*): ", line)
        if known and (known[2] is None or any(known[2] == field.name for field in found.fields)):
            skipping = True
        elif not line.strip() or (skipping and not line.startswith(" ")):
            skipping = False
        if not skipping:
            kept.append(line)
    text = "\n".join(kept).strip()
    text = text.removeprefix(found.summary).strip() if text.startswith(found.summary) else text
    return re.sub(r"(?<=\S)\n(?=\S)", " ", re.sub(r"\n{3,}", "\n\n", text))


def use(found: Found) -> str:
    """A line that uses it."""
    if found.kind == "recipe":
        return f"danlu train {found.name}"
    field = next((f for f in found.fields if f.default is not None), None)
    call = f"{found.name}({field.name}={_default(field)})" if field else found.name
    if found.kind == "technique":
        return f"danlu train RECIPE --with '{call}'"
    if found.kind == "metric":
        return f"danlu train RECIPE 'metrics=[{found.name}]'"
    return f"danlu train RECIPE '{found.kind}={call}'"


def _about(field: Field) -> str:
    limits = allowed(field.annotation)
    return f"{field.doc} ({limits})" if field.doc and limits else field.doc or limits


def allowed(annotation: str) -> str:
    """The range or the choices that an annotation's source says, in signs; "" where it says none."""
    if choices := re.search(r"Literal\[(.*?)\]", annotation):
        return ", ".join(part.strip().strip("'\"") for part in choices[1].split(","))
    found = []
    for name in re.findall(r"\w+", annotation):
        alias = getattr(fields, name, None)
        if get_origin(alias) is Annotated:
            found += [str(extra) for extra in get_args(alias)[1:]]
    return "; ".join(dict.fromkeys(found))


def _default(field: Field) -> str:
    """The default as a recipe would have it; `...` where a value must be given."""
    if field.default is None:
        return "..."
    plain = {"None": "null", "True": "true", "False": "false", "()": "[]"}
    text = plain.get(field.default, field.default)
    if re.fullmatch(r"'[^']*'|\"[^\"]*\"", text):
        return text[1:-1]
    return re.sub(r"^\((.*?),?\)$", r"[\1]", text)
