"""`danlu check`: the certificate of a recipe, one line a check."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from danlu import errors, messages
from danlu.cli.chosen import JSON
from danlu.cli.parse import Command, Flag, Given, columns
from danlu.cli.recipe import CHANGES, asked
from danlu.cli.text import aligned, padded, width
from danlu.errors import say

if TYPE_CHECKING:
    from danlu.check import Certificate

AGAIN = Flag("--again", messages.FLAG_AGAIN)
COMMAND = Command("check", messages.ABOUT_CHECK, "RECIPE [field=value ...]", 1, None, (*CHANGES, AGAIN, JSON), messages.MORE_CHECK)
COLOURS = {"ok": 32, "note": 33, "failed": 31}


def run(words: list[str], given: Given) -> int:
    recipe = asked(words, given)
    from danlu.check import certify
    from danlu.core import Run

    with Run(recipe) as run:
        found = certify(run, given["--again"])
    print(json.dumps(found.facts, ensure_ascii=False, indent=1, allow_nan=False) if given["--json"] else page(found))
    return errors.REFUSED if found.verdict == "failed" else 0


def page(found: Certificate) -> str:
    """The lines, each with its verdict, and their number."""
    words = {verdict: say(word) for verdict, word in messages.CHECK_VERDICTS.items()}
    wide = max(map(width, words.values()))
    rows = [(f"{padded(words[line.verdict], wide)}  {say(messages.CHECK_TITLES[line.name])}", str(line)) for line in found.lines]
    text = aligned(rows, columns(), indent=0)
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        marks = {word: f"\x1b[{COLOURS[verdict]}m{word}\x1b[0m" for verdict, word in words.items()}
        text = "\n".join(next((marks[w] + row[len(w) :] for w in marks if row.startswith(f"{w} ")), row) for row in text.splitlines())
    counts = {verdict: len(found.having(verdict)) for verdict in words}
    end = say(messages.CHECK_SUM, seconds=found.seconds, **counts)
    return f"{text}\n\n{end}{say(messages.CHECK_KEPT, made=found.made) if found.kept else ''}"
