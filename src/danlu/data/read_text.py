"""Texts in files: which files are meant, how they are encoded, and dialogues that are no plain text."""

from __future__ import annotations

import codecs
import glob
import json
import os
from collections.abc import Iterator
from pathlib import Path

from danlu import messages
from danlu.errors import BadInput

ENDINGS = (".txt", ".text", ".md")
DIALOGUE_ENDINGS = (".jsonl", ".ndjson", ".json")


def text_files(path: str | Path) -> list[Path]:
    """The files that a path means, sorted: the file itself, the texts below a folder, or what a pattern such as books/*.txt matches.

    Hidden files are left out. Raises BadInput where there is none, and for dialogues (`refuse_dialogues`).
    """
    asked = Path(path).expanduser()
    if asked.is_file():
        found = [asked]
    elif asked.is_dir():
        below = list(_below(asked))
        found = [file for file in below if file.suffix.lower() in ENDINGS] or [file for file in below if _may_be_dialogue(file)]
    else:
        found = [Path(name) for name in sorted(glob.glob(str(asked), recursive=True)) if Path(name).is_file()]
    if not found:
        raise BadInput(messages.TEXT_NO_FILES, path=path, endings=", ".join(ENDINGS))
    for file in found:
        refuse_dialogues(file)
    return found


def _below(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(where, name) for name in sorted(names) if not name.startswith("."))


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, UTF-16 with a byte order mark, or GB18030, its lines ended by a line feed.

    Raises BadInput for bytes that are none of these, at the place up to which one of them reads, and for a zero byte, which no text holds.
    """
    raw, furthest = path.read_bytes(), 0
    marked = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError as error:
            furthest = max(furthest, error.start)
            if encoding == "utf-8-sig" and error.end >= len(raw) and error.start > len(raw) - 4:
                break  # UTF-8 up to half a character at its very end: a file that was cut, not one in GB18030
            continue
        if (at := text.find("\0")) >= 0:
            raise BadInput(messages.TEXT_BINARY, path=path, line=text.count("\n", 0, at) + 1)
        return text.replace("\r\n", "\n").replace("\r", "\n")
    raise BadInput(messages.TABLE_BYTES, path=path, line=raw.count(b"\n", 0, furthest) + 1, byte=f"0x{raw[furthest]:02x}")


def refuse_dialogues(path: str | Path) -> None:
    """Raises BadInput for a file of JSON records, by the name of their form: alpaca, messages, or neither."""
    if _may_be_dialogue(path := Path(path).expanduser()) and path.is_file():
        form = form_of(read_text(path))
        raise BadInput(messages.TEXT_DIALOGUES if form else messages.TEXT_RECORDS, path=path, form=form)


def _may_be_dialogue(path: Path) -> bool:
    return path.suffix.lower() in DIALOGUE_ENDINGS


def form_of(text: str) -> str:
    """ "alpaca", "messages" or "", by the first record of lines of JSON or of one JSON list."""
    try:
        record = json.loads(next((line for line in text.splitlines() if line.strip()), ""))
    except ValueError:
        try:
            record = json.loads(text)
        except ValueError:
            return ""
    record = record[0] if isinstance(record, list) and record else record
    if not isinstance(record, dict):
        return ""
    if {"instruction", "output"} <= record.keys():
        return "alpaca"
    turns = record.get("messages")
    return "messages" if isinstance(turns, list) and all(isinstance(turn, dict) and "role" in turn for turn in turns) else ""
