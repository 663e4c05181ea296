"""`danlu show`: what a name is, its fields with their ranges and defaults, and how to use it. Does not import torch."""

from __future__ import annotations

import json

from danlu import messages
from danlu.cli.chosen import JSON, ROW, SEAM, chosen, record, seam_word, summary
from danlu.cli.parse import Command, Given, columns
from danlu.cli.text import aligned, wrapped
from danlu.errors import BadInput, language, say, spoken
from danlu.find import card
from danlu.find.limits import limits, plain
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
    if said := about(found):
        unsaid = language() == "zh" and not card.about(found).zh
        lines = [*([say(messages.IN_ENGLISH)] if unsaid else []), *said.split("\n")]
        parts.append("\n".join(f"  {line}".rstrip() for paragraph in lines for line in wrapped(paragraph, wide - 2)))
    if found.fields:
        parts.append(aligned([(f"{f.name} = {default(f)}", _about(f, found.path)) for f in found.fields], wide))
    parts.append(aligned([(say(messages.SHOW_USE), use(found)), (say(messages.SHOW_SOURCE), f"{found.path}:{found.line}")], wide))
    return "\n\n".join(part for part in parts if part)


def about(found: Found) -> str:
    """What the docstring says beyond summary and fields, in the chosen language where it has it, else in English."""
    said = card.about(found)
    return spoken(said) or said.en


def use(found: Found) -> str:
    """A line that uses it."""
    if found.kind == "recipe":
        return f"danlu train {found.name}"
    field = next((f for f in found.fields if f.default is not None), None)
    call = f"{found.name}({field.name}={default(field)})" if field else found.name
    if found.kind == "technique":
        return f"danlu train RECIPE --with '{call}'"
    if found.kind == "metric":
        return f"danlu train RECIPE 'metrics=[{found.name}]'"
    return f"danlu train RECIPE '{found.kind}={call}'"


def _about(field: Field, path: str) -> str:
    said, allowed = spoken(field.doc), limits(field.annotation, path)
    return say(messages.WITH_LIMITS, said=said, limits=allowed) if said and allowed else said or allowed


def default(field: Field) -> str:
    """The default as a recipe would have it; `...` where a value must be given."""
    return "..." if field.default is None else plain(field.default)
