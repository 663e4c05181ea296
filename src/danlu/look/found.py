"""What a look found: sentences in both languages, a table, and the same as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from danlu.data.own_split import Note, note
from danlu.errors import Sentence

SHOWN = 3  # examples that are given of anything


@dataclass
class Look:
    """kind: table, images, text or dialogues. notes: what a person should know. grid: rows of cells, a head first; a cell that is a
    `Sentence` has two languages. suggest: the command to train with; "" where there is none. plain: for JSON.
    """

    kind: str
    notes: list[Note] = field(default_factory=list)
    grid: list[list[Sentence | str]] = field(default_factory=list)
    suggest: str = ""
    plain: dict[str, Any] = field(default_factory=dict)

    def say(self, sentence: Sentence, **values: Any) -> None:
        self.notes.append(note(sentence, **values))


def some(names: Sequence[str], most: int = 12) -> str:
    """Names for a sentence."""
    return ", ".join(names[:most]) + (f", ... ({len(names)})" if len(names) > most else "")


def short(text: str, most: int = 40) -> str:
    """A text on one line, cut."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def twice(hashes: np.ndarray) -> int:
    """How many rows repeat an earlier one."""
    ordered = np.sort(hashes)  # np.unique would hash them, in five times the memory
    return int((ordered[1:] == ordered[:-1]).sum())


def shared(parts: dict[str, np.ndarray]) -> dict[str, int]:
    """{"train, test": rows of the second that are in the first as well}, for each pair of parts that share any."""
    names, found = list(parts), {}
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            if count := int(np.isin(parts[second], parts[first]).sum()):
                found[f"{first}, {second}"] = count
    return found
