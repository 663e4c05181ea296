"""Where in a recipe something was written, so that an error can name the file, the line and the key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from danlu import messages
from danlu.errors import BadInput, Sentence
from danlu.find.names import Phrase

Key = tuple[str | int, ...]


@dataclass(frozen=True)
class Places:
    """The line of every key path of a file; `folder` is what relative paths of Python files (`net.py:Net`) start from."""

    file: str | Phrase = field(default_factory=lambda: Phrase(messages.THE_RECIPE))
    lines: Mapping[Key, int] = field(default_factory=dict)
    folder: Path | None = None

    def where(self, key: Key) -> str:
        """`my.yaml:7`, the line of the key or of the nearest one that holds it."""
        for end in range(len(key), -1, -1):
            if line := self.lines.get(key[:end]):
                return f"{self.file}:{line}"
        return str(self.file)


@dataclass(frozen=True)
class Spot:
    """One key of a recipe."""

    places: Places
    key: Key = ()

    def at(self, *key: str | int) -> Spot:
        return Spot(self.places, self.key + key)

    def __str__(self) -> str:
        """`techniques[1].mixup.alpha`"""
        text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.key)
        return text.removeprefix(".")

    def wrong(self, sentence: Sentence, /, **values: Any) -> BadInput:
        """The trouble at this key, to be raised."""
        return self.wraps(Phrase(sentence, **values))

    def wraps(self, problem: Phrase | BadInput) -> BadInput:
        """Trouble found elsewhere, said with this key's place."""
        where = _Where(self.places, self.key)
        if not self.key:
            return BadInput(messages.AT_FILE, where=where, problem=problem)
        return BadInput(messages.AT_KEY, where=where, key=str(self), problem=problem)


class _Where:
    """The place as text, made when it is read: the file may be a phrase in the chosen language."""

    def __init__(self, places: Places, key: Key):
        self.places, self.key = places, key

    def __str__(self) -> str:
        return self.places.where(self.key)
