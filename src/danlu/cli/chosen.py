"""Which names of the catalogue `danlu list` and `danlu show` are asked for: by kind, by name, by seam, by scope row."""

from __future__ import annotations

from typing import Any

from danlu import find, messages
from danlu.cli.parse import Flag, Given
from danlu.errors import BadInput, say, spoken
from danlu.find.names import Phrase, nearest
from danlu.find.source import FOLDERS, SEAMS, Found

SEAM = Flag("--seam", messages.FLAG_SEAM, "SEAM")
ROW = Flag("--row", messages.FLAG_ROW, "ROW")
JSON = Flag("--json", messages.FLAG_JSON)


def kind_of(word: str) -> str | None:
    """The kind that a word names: `technique`, `techniques`, the folder's name, or the kind in Chinese."""
    for kind, folder in FOLDERS.items():
        if word.lower() in (kind, f"{kind}s", f"{kind}es", folder, messages.KINDS[kind].zh):
            return kind
    return None


def chosen(words: list[str], given: Given) -> list[Found]:
    """The names that are meant, by kind in the order of a recipe's fields. Raises BadInput for a word, seam or row that there is not."""
    listed = [found for kind in FOLDERS for found in find.catalogue(kind)]
    if words:
        listed = _worded(words[0], listed)
    if (seam := given["--seam"]) is not None:
        if seam not in SEAMS:
            raise BadInput(messages.UNKNOWN_SEAM, seam=seam, hint=find.hint(seam, list(SEAMS)))
        listed = [found for found in listed if found.seam == seam]
    if (row := given["--row"]) is not None:
        listed = [found for found in listed if row in found.scope]
        if not listed:
            rows = {row for found in find.catalogue() for row in found.scope}
            raise BadInput(messages.UNKNOWN_ROW, row=row, rows=", ".join(sorted(rows, key=lambda r: [int(n) for n in r.split(".")])))
    return listed


def _worded(word: str, listed: list[Found]) -> list[Found]:
    if kind := kind_of(word):
        return [found for found in listed if found.kind == kind]
    if word in SEAMS:  # `model` is a kind first
        return [found for found in listed if found.seam == word]
    plain = word.lower().replace("-", "_")
    named = [found for found in listed if plain in (found.name, found.attribute.lower())]
    if not named:
        near = nearest(word, [*(found.name for found in listed), *FOLDERS, *SEAMS])
        hint = Phrase(messages.DID_YOU_MEAN, name=near) if near else Phrase(messages.SEE_LIST)
        raise BadInput(messages.UNKNOWN_ANYTHING, word=word, hint=hint)
    return named


def summary(found: Found) -> str:
    """What it is in one line, in the chosen language if its source says it there."""
    return spoken(found.said)


def seam_word(seam: str) -> str:
    """The seam in the chosen language, with the word that flags and folders use where that is another one."""
    word = say(messages.SEAM_WORDS[seam])
    return word if word == seam else f"{word} ({seam})"


def record(found: Found) -> dict[str, Any]:
    """The entry as JSON values; the keys stay English in every language."""
    fields = [{"name": f.name, "type": f.annotation, "default": f.default, "doc": f.doc.en, "doc_zh": f.doc.zh} for f in found.fields]
    return {
        "kind": found.kind, "name": found.name, "seam": found.seam or None, "scope": list(found.scope), "summary": found.summary,
        "summary_zh": found.chinese or None, "fields": fields, "module": found.module, "class": found.attribute,
    }  # fmt: skip
