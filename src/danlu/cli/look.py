"""`danlu look`: what a data set holds, before anything is trained."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from danlu import messages
from danlu.cli.parse import Command, Flag, Given, columns
from danlu.cli.text import cut_grid
from danlu.errors import BadInput, Sentence, language, say

if TYPE_CHECKING:
    from danlu.look.found import Look

FIELDS = ("path", "val_path", "test_path", "split", "target", "text")
OUT = Flag("--out", messages.FLAG_LOOK_OUT, "DIR")
JSON = Flag("--json", messages.FLAG_LOOK_JSON)
COMMAND = Command("look", messages.ABOUT_LOOK, "data.path=... [data.target=COLUMN ...]", 1, None, (OUT, JSON), messages.MORE_LOOK)


def run(words: list[str], given: Given) -> int:
    fields: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        name = name.removeprefix("data.")
        if not equals and "path" not in fields:
            name, value = "path", word
        if name not in FIELDS or not value:
            raise BadInput(messages.LOOK_WORD, word=word, fields=", ".join(f"data.{field}" for field in FIELDS))
        fields[name] = value
    if "path" not in fields:
        raise BadInput(messages.LOOK_WORD, word=words[0], fields="data.path")
    out = Path(given["--out"]) if given["--out"] else None
    if out is not None and os.path.lexists(out):
        raise BadInput(messages.OUT_EXISTS, path=out)
    found = look(fields, out)
    if given["--json"]:
        plain = {"kind": found.kind, **found.plain, "notes": [note[language()] for note in found.notes], "suggest": found.suggest}
        print(json.dumps(plain, ensure_ascii=False, allow_nan=False))
    else:
        print(said(found))
    return 0


def look(fields: dict[str, str], out: Path | None = None) -> Look:
    """The look that fits what the path is. Raises BadInput for a path that is not there."""
    from danlu.data.read_text import DIALOGUE_ENDINGS
    from danlu.look.images import look_at_images
    from danlu.look.table import look_at_table
    from danlu.look.text import look_at_dialogues, look_at_text

    path = Path(fields["path"]).expanduser()
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv", ".parquet", ".pq", ".tab"):
        return look_at_table(fields)
    if suffix in DIALOGUE_ENDINGS and path.is_file():
        return look_at_dialogues(fields)
    if path.is_dir() and _pictures(path):
        return look_at_images(fields, out)
    return look_at_text(fields)


def _pictures(folder: Path) -> bool:
    from danlu.data.image_files import holds_images

    return holds_images(folder)


def said(found: Look) -> str:
    parts = ["\n".join(note[language()] for note in found.notes[:1])]
    if found.grid:
        rows = [[say(cell) if isinstance(cell, Sentence) else cell for cell in row] for row in found.grid]
        parts.append(cut_grid(rows, columns()))
    if len(found.notes) > 1:
        parts.append("\n".join(note[language()] for note in found.notes[1:]))
    if found.suggest:
        parts.append(say(messages.LOOK_SUGGEST, command=found.suggest))
    return "\n\n".join(parts)
