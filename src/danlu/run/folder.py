"""The folder of one run: made new for every run, never written over, owned by one process at a time.

recipe.json     what was asked for
record.json     where, when, with which code, packages and data
metrics.jsonl   one line of numbers a logged step      events.jsonl   what happened      train.log   the same for people
checkpoints/    step-N/, and the files latest and best
sources/        the user's own Python files that the recipe names
report.html     all of it as one page
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from danlu import messages
from danlu.describe import json_lines
from danlu.errors import BadInput, say
from danlu.run import durable, lock
from danlu.run.checkpoint import no_space

_SCRAPS = {"lock", "recipe.json.tmp"}  # what a crash right at the start may leave


class Folder:
    """A run folder that this process owns until `close` (or the end of a `with` block)."""

    def __init__(self, path: Path, handle: int, recipe: Any, changed: list[str]):
        self.path, self._handle = path, handle
        self.checkpoints = path / "checkpoints"
        self.recipe = recipe  # its data form
        self.changed = changed  # how the recipe in the folder differs from it, one line each

    def settle(self) -> None:
        """Let `recipe.json` say what the run goes on with, if that was changed on purpose."""
        if self.changed:
            durable.replace(self.path / "recipe.json", json_lines.write(self.recipe))

    def close(self) -> None:
        lock.release(self._handle)

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def claim(out: str | os.PathLike[str] | None, recipe: Mapping[str, Any], name: str, changing: Collection[str] = ()) -> Folder:
    """Own the folder `out` for a run of `recipe` (its data form); without `out`, a new `runs/<name>-<date>-<n>`.

    A folder with the same recipe is gone on with; it may differ in the fields `changing`. Raises BadInput for a folder that holds something
    else (another recipe: with the difference), Busy when another process owns it, NoSpace when it cannot be written. In all these cases
    nothing in it was changed.
    """
    path, changed = Path(out) if out is not None else None, list[str]()
    if path is not None and path.exists():
        _check_is_run(path)
        _check_no_links(path)
        if (path / "recipe.json").exists():
            _check_same(path, recipe, changing)
    try:
        if path is None:
            path = _new(Path("runs"), name)
        elif not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                path.mkdir(mode=0o700)
        handle = lock.acquire(path)
    except OSError as error:
        raise no_space(error, path or Path("runs"), len(json.dumps(recipe))) from error
    try:
        if (path / "recipe.json").exists():  # looked at again: another process may have made it just before we locked
            changed = _check_same(path, recipe, changing)
        else:
            durable.replace(path / "recipe.json", json_lines.write(recipe))
    except OSError as error:
        lock.release(handle)
        raise no_space(error, path, len(json.dumps(recipe))) from error
    except BaseException:
        lock.release(handle)
        raise
    return Folder(path, handle, json.loads(json_lines.write(recipe)), changed)


def read_json(path: Path) -> Any:
    """A JSON file of a run folder. Raises BadInput, naming the file."""
    if not path.is_file():
        raise BadInput(messages.NO_RUN_THERE, folder=path.parent, file=path.name)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(messages.RUN_FILE_UNREADABLE, file=path, reason=error) from error


def differences(old: Any, new: Any, field: str = "") -> list[str]:
    """One line for every field in which two data forms differ."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = [*old, *(key for key in new if key not in old)]
        return [line for key in keys for line in differences(old.get(key, _ABSENT), new.get(key, _ABSENT), f"{field}.{key}".lstrip("."))]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [line for place, (a, b) in enumerate(zip(old, new)) for line in differences(a, b, f"{field}[{place}]")]
    if old == new and isinstance(old, bool) == isinstance(new, bool):
        return []
    return [say(messages.DIFFERENCE, field=field or ".", old=_shown(old), new=_shown(new))]


_ABSENT = object()


def _shown(value: Any) -> str:
    return say(messages.ABSENT) if value is _ABSENT else json.dumps(value, ensure_ascii=False)


def _check_is_run(path: Path) -> None:
    if not path.is_dir() or (not (path / "recipe.json").exists() and any(entry.name not in _SCRAPS for entry in path.iterdir())):
        raise BadInput(messages.NOT_A_RUN, folder=path)


def _check_no_links(path: Path) -> None:
    """What lies in a run folder is written, renamed and deleted: a link in it would let that happen elsewhere. (The folder may be one.)"""
    inside = path / "checkpoints"
    for entry in (*path.iterdir(), *(inside.iterdir() if inside.is_dir() and not inside.is_symlink() else ())):
        if entry.is_symlink():
            raise BadInput(messages.LINK_IN_RUN, path=entry, target=os.readlink(entry))


def _check_same(path: Path, recipe: Mapping[str, Any], changing: Collection[str]) -> list[str]:
    """The differences in the fields that may differ, a line each. Raises BadInput when there are others."""
    plain = json.loads(json_lines.write(recipe))  # as it will be read back: tuples are lists
    before = read_json(path / "recipe.json")
    kept = {field: value for field, value in plain.items() if field not in changing}
    if found := differences({field: value for field, value in before.items() if field not in changing}, kept):
        raise BadInput(messages.OTHER_RECIPE, folder=path, difference="\n".join(found))
    return differences(before, plain)


def _new(runs: Path, name: str) -> Path:
    """A folder that did not exist: `mkdir` itself is the test, so two processes never get the same."""
    runs.mkdir(parents=True, exist_ok=True)
    stem = f"{safe_name(name)}-{date.today().isoformat()}"
    number = 1
    while True:
        path = runs / f"{stem}-{number}"
        try:
            path.mkdir(mode=0o700)
            return path
        except FileExistsError:
            number += 1


def safe_name(name: str) -> str:
    """A name as one harmless part of a path: letters, digits, `_`, `-` and dots inside, at most 60 characters."""
    return re.sub(r"[^\w.-]+", "-", name)[:60].strip(".-_") or "run"
