"""The card of a name: what it does, its formula, when it helps, what it costs, when not to use it, how failure shows, what goes with it.

Its words are those of the name's own docstring (of a technique: its module's), in both languages; nothing is kept anywhere else. A part
begins a line with its heading, `messages.CARD`, and goes on to the next heading or a blank line. What stands before the first heading says
what the thing does; in Chinese that has a heading too. A formula without words is the same in both languages, and needs no second one.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from danlu import messages
from danlu.errors import Sentence
from danlu.find.source import Found, chinese_paragraphs

CARRY = ("technique", "optimizer", "schedule")  # kinds whose names have a card
_HEADINGS = {heading: (part, place) for part, said in messages.CARD.items() for place, heading in enumerate(said)}
_HEADING = re.compile(rf"({'|'.join(map(re.escape, _HEADINGS))})[:：]\s*(.*)")


def card(found: Found) -> dict[str, Sentence]:
    """Every part in both languages; "" where the source does not say it."""
    said = docstring(found)
    parts = {part: ["", ""] for part in messages.CARD}
    parts["mechanism"][0] = lead(found)
    for heading, lines in _sections(said):
        part, place = _HEADINGS[heading]
        parts[part][place] = (" " if place == 0 else "").join(lines).strip()
    parts["formula"][1] = parts["formula"][1] or parts["formula"][0]
    return {part: Sentence(*both) for part, both in parts.items()}


def about(found: Found) -> Sentence:
    """What the docstring says beyond summary and fields, a paragraph for each part of the card; "" in a language in which it says nothing.

    Without a card the Chinese is that of the paragraphs `中文:` after the first.
    """
    parts = card(found)
    first = parts["mechanism"].en.removeprefix(found.summary).strip()
    english = [first, *(f"{messages.CARD[part].en}: {said.en}" for part, said in parts.items() if part != "mechanism" and said.en)]
    chinese = [f"{messages.CARD[part].zh}：{said.zh}" for part, said in parts.items() if said.zh]
    if not parts["mechanism"].zh:
        chinese = chinese_paragraphs(docstring(found))[1:]
    return Sentence("\n".join(each for each in english if each), "\n".join(chinese))


def lead(found: Found) -> str:
    """What the docstring says before fields, headings and scope: what the thing does. Paragraphs are lines."""
    kept: list[str] = []
    skipping = False
    for line in docstring(found).splitlines():
        known = re.match(r"(Scope|中文)[:：]|([a-z_][a-z0-9_]*): ", line)
        if _HEADING.match(line) or (known and (known[2] is None or any(known[2] == field.name for field in found.fields))):
            skipping = True
        elif not line.strip():
            skipping = False
        if not skipping:
            kept.append(line)
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return re.sub(r"(?<=\S)\n(?=\S)", " ", text)


def docstring(found: Found) -> str:
    """The module's for a technique, else the class's or function's own; "" where there is no source."""
    if not found.path:
        return ""
    tree = ast.parse(Path(found.path).read_text("utf-8"))
    node = next((n for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef) and n.name == found.attribute), None)
    return (ast.get_docstring(tree) if found.kind == "technique" else ast.get_docstring(node) if node else "") or ""


def _sections(said: str) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    inside = False
    for line in said.splitlines():
        if heading := _HEADING.match(line):
            found.append((heading[1], [heading[2]]))
            inside = True
        elif not line.strip() or re.match(r"(Scope|中文)[:：]", line):
            inside = False
        elif inside:
            found[-1][1].append(line.strip())
    return found
