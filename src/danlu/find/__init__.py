"""Every name that a recipe may use, found by walking the folders (`source.py` says what a name is); nothing is registered.

Entry points of other packages (group `danlu.techniques`, `danlu.models`, ...) add names; they are looked at only when a listing asks for
them or a name is not ours. Nothing here imports torch.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from danlu import messages
from danlu.errors import BadInput, Sentence
from danlu.find.names import Phrase, nearest
from danlu.find.source import FOLDERS, Field, Found, read_entry, read_folder
from danlu.folders import cache_folder

GROUPS = {kind: f"danlu.{kind if kind == 'data' else kind + 's'}" for kind in FOLDERS}
ROOT, PACKAGE = Path(__file__).parent.parent, "danlu"


def catalogue(kind: str | None = None, *, others: bool = True) -> tuple[Found, ...]:
    """All names of one kind, or of every kind, sorted by name; with those of other packages unless `others` is False.

    Raises BadInput if two packages give one name.
    """
    kinds = FOLDERS if kind is None else [kind]
    listed = [found for each in kinds for found in _ours(each, ROOT, PACKAGE)]
    if others:
        listed += [found for each in kinds for found in _theirs(each)]
    first: dict[tuple[str, str], Found] = {}
    for found in listed:
        twin = first.setdefault((found.kind, found.name), found)
        if twin is not found:
            raise BadInput(messages.NAME_TWICE, kind=kind_word(found.kind), name=found.name, first=twin.module, second=found.module)
    return tuple(sorted(listed, key=lambda found: found.name))


def find(kind: str, name: str) -> Found:
    """The one of that kind and name. Raises BadInput with the nearest right name."""
    found = lookup(kind, name)
    if found is None:
        raise BadInput(messages.UNKNOWN_NAME, kind=kind_word(kind), name=name, hint=_hint(kind, name))
    return found


def lookup(kind: str, name: str) -> Found | None:
    """The one of that kind and name (dashes are underscores), or None; other packages are asked only for a name that is not ours."""
    for found in _ours(kind, ROOT, PACKAGE):
        if found.name == name.replace("-", "_"):
            return found
    return next((found for found in _theirs(kind) if found.name == name), None)


def names(kind: str) -> list[str]:
    return [found.name for found in catalogue(kind)]


def name_of(thing: type, kind: str) -> str | None:
    """The name by which recipes know a description's class (or a recipe's function), or None."""
    for found in _ours(kind, ROOT, PACKAGE):
        if (found.module, found.attribute) == (thing.__module__, thing.__qualname__):
            return found.name
    package = thing.__module__.partition(".")[0]
    return next((found.name for found in _theirs(kind) if found.module.partition(".")[0] == package and found.load() is thing), None)


def kind_word(kind: str) -> Phrase:
    """The kind in the chosen language."""
    return Phrase(messages.KINDS[kind])


def _hint(kind: str, name: str) -> Phrase:
    known = names(kind)
    elsewhere = next((other for other in FOLDERS if other != kind and lookup(other, name)), None)
    if elsewhere:
        return Phrase(messages.OTHER_KIND, name=name, kind=kind_word(elsewhere), names=", ".join(known))
    return hint(name, known)


def hint(word: str, choices: list[str]) -> Phrase:
    """What to write instead of `word`: the nearest of the choices, else all of them."""
    if near := nearest(word, choices):
        return Phrase(messages.DID_YOU_MEAN, name=near)
    return Phrase(messages.CHOOSE_FROM, names=", ".join(choices) or "-")


def _ours(kind: str, root: Path, package: str) -> tuple[Found, ...]:
    return tuple(found for found in _folder(FOLDERS[kind], root, package) if found.kind == kind)


@functools.cache
def _folder(folder: str, root: Path, package: str) -> tuple[Found, ...]:
    """What `read_folder` finds, kept in the cache until a file changes: reading 60 sources takes 70 ms, the cache 3."""
    files = [*sorted((root / folder).rglob("*.py")), Path(__file__).with_name("source.py")]
    stamp = [[str(path), path.stat().st_mtime_ns, path.stat().st_size] for path in files]
    kept = cache_folder() / "names" / f"{hashlib.sha256(str(root / folder).encode()).hexdigest()[:16]}.json"
    try:
        held = json.loads(kept.read_text("utf-8"))
        if held["stamp"] == stamp:
            return tuple(_found(*row) for row in held["found"])
    except (OSError, ValueError, LookupError, TypeError):
        pass  # no cache yet, or not one of ours: the sources are what counts
    found = read_folder(root, folder, package)
    rows = [[_row(each)[:-2], each.scope, [_row(field) for field in each.fields]] for each in found]
    fresh = kept.with_suffix(f".{os.getpid()}")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(json.dumps({"stamp": stamp, "found": rows}), "utf-8")
        fresh.replace(kept)
    except OSError:
        pass  # a cache that cannot be written only costs time
    return found


def _found(plain: list[Any], scope: list[str], fields: list[list[Any]]) -> Found:
    """What was kept as JSON."""
    told = tuple(Field(name, annotation, default, Sentence(*doc)) for name, annotation, default, doc in fields)
    row: list[Any] = [*plain, tuple(scope), told]
    return Found(*row)


def _row(thing: Found | Field) -> list[object]:
    return [getattr(thing, name) for name in thing.__dataclass_fields__]


@functools.cache
def _theirs(kind: str) -> tuple[Found, ...]:
    if not _may_add():
        return ()
    from importlib.metadata import entry_points

    return tuple(read_entry(kind, point.name, point.module, point.attr) for point in entry_points(group=GROUPS[kind]))


@functools.cache
def _may_add() -> bool:
    """Whether any installed package has an entry point for us; importing importlib.metadata to learn that there is none takes 30 ms."""
    lists = (file for folder in sys.path for file in Path(folder or ".").glob("*-info/entry_points.txt"))
    return any(b"[danlu." in file.read_bytes() for file in lists)
