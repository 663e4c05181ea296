"""`danlu list`: every name that a recipe may use, one line each. Does not import torch."""

from __future__ import annotations

import json
from itertools import groupby

from danlu import messages
from danlu.cli.chosen import JSON, ROW, SEAM, chosen, record, seam_word, summary
from danlu.cli.parse import Command, Given, columns
from danlu.cli.text import aligned
from danlu.errors import say
from danlu.find.source import SEAMS, Found

COMMAND = Command("list", messages.ABOUT_LIST, "[KIND]", most=1, flags=(SEAM, ROW, JSON), more=messages.MORE_LIST)


def run(words: list[str], given: Given) -> int:
    listed = chosen(words, given)
    if given["--json"]:
        print(json.dumps([record(found) for found in listed], ensure_ascii=False, indent=1))
        return 0
    parts = []
    for kind, group in groupby(listed, lambda found: found.kind):
        entries = list(group)
        if kind == "technique":
            seams = [(seam, [found for found in entries if found.seam == seam]) for seam in SEAMS]
            parts += [(f"{say(messages.KINDS[kind])} · {seam_word(seam)}", found) for seam, found in seams if found]
        else:
            parts.append((say(messages.KINDS[kind]), entries))
    print("\n\n".join(f"{title}\n{_rows(entries)}" for title, entries in parts))
    print(f"\n{say(messages.LIST_NEXT)}")
    return 0


def _rows(entries: list[Found]) -> str:
    return aligned([(found.name, summary(found)) for found in entries], columns())
