"""`danlu doctor`: what this machine has, and what is missing with the line that installs it."""

from __future__ import annotations

from danlu import messages
from danlu.cli.parse import Command, Given, columns
from danlu.cli.text import aligned
from danlu.errors import say

COMMAND = Command("doctor", messages.ABOUT_DOCTOR)


def run(words: list[str], given: Given) -> int:
    from danlu.doctor import examine

    print("\n\n".join(f"{say(title)}\n{aligned(rows, columns())}" for title, rows in examine()))
    return 0
