"""A first look at text: files, characters, lines, what they are made of; and at dialogues in JSON, by the name of their form."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from danlu import messages
from danlu.data.read_text import form_of, read_text, text_files
from danlu.data.text_files import FEW
from danlu.look.found import Look, short, some, twice

LEAST = 2400  # characters with which `text` can be trained at all


def look_at_text(fields: Mapping[str, str]) -> Look:
    """fields: `path` (a file, a folder or a pattern)."""
    files = text_files(fields["path"])
    texts = [read_text(file) for file in files]
    found = Look("text")
    letters = Counter(letter for text in texts for letter in text)
    size = sum(letters.values())
    lengths = np.array([len(line) for text in texts for line in text.splitlines() if line.strip()] or [0])
    found.say(messages.LOOK_TEXT, files=len(files), characters=size, lines=len(lengths), different=len(letters))
    low, middle, high = np.quantile(lengths, [0.05, 0.5, 0.95]).astype(int).tolist()
    found.say(messages.LOOK_LINES, least=low, median=middle, greatest=high)
    found.say(messages.LOOK_LETTERS, letters=" ".join(letter for letter, _ in letters.most_common(30) if letter.strip()))
    if empty := [str(file) for file, text in zip(files, texts) if not text.strip()]:
        found.say(messages.LOOK_EMPTY_FILES, files=some(empty))
    if again := twice(np.array([_hash(text) for text in texts], np.uint64)):
        found.say(messages.LOOK_REPEATED_FILES, count=again)
    for file, text in list(zip(files, texts))[:3]:
        found.say(messages.LOOK_BEGINS, path=str(file), text=short(text[:200], 80))
    if size < LEAST:
        found.say(messages.LOOK_LITTLE, count=size, least=LEAST)
    else:
        found.suggest = f"danlu train text {shlex.quote('data.path=' + fields['path'])}"
    found.say(messages.LOOK_LEVEL, level=messages.TEXT_LEVELS["bpe" if size > FEW else "characters"])
    found.plain = {"files": len(files), "characters": size, "lines": len(lengths), "different_characters": len(letters),
                   "line_lengths": {"5%": low, "50%": middle, "95%": high}, "empty": empty}  # fmt: skip
    return found


def look_at_dialogues(fields: Mapping[str, str]) -> Look:
    """fields: `path` of a .jsonl or .json file."""
    path = Path(fields["path"]).expanduser()
    text = read_text(path)
    form = form_of(text)
    records, broken = _records(text)
    found = Look("dialogues")
    keys = Counter(key for record in records for key in record)
    found.say(messages.LOOK_RECORDS, count=len(records), path=str(path), keys=some([f"{key} ({n})" for key, n in keys.most_common()]))
    if broken:
        found.say(messages.LOOK_BROKEN, count=len(broken), lines=some([str(line) for line in broken]))
    if form:
        found.say(messages.LOOK_DIALOGUES, form=form)
        lengths = np.array([len(json.dumps(record, ensure_ascii=False)) for record in records] or [0])
        low, middle, high = np.quantile(lengths, [0.05, 0.5, 0.95]).astype(int).tolist()
        found.say(messages.LOOK_LINES, least=low, median=middle, greatest=high)
    for record in records[:2]:
        found.say(messages.LOOK_RECORD, text=short(json.dumps(record, ensure_ascii=False), 120))
    found.plain = {"records": len(records), "form": form, "keys": dict(keys), "broken_lines": broken}
    return found


def _records(text: str) -> tuple[list[dict[str, Any]], list[int]]:
    """The records, and the numbers of lines that are none."""
    try:
        whole = json.loads(text)
    except ValueError:
        whole = None
    if isinstance(whole, list):
        return [record for record in whole if isinstance(record, dict)], []
    found, broken = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                record = json.loads(line)
            except ValueError:
                record = None
            if isinstance(record, dict):
                found.append(record)
            else:
                broken.append(number)
    return found, broken


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
