"""R04: read from the system calls of 20 saves, what a loss of power can undo never comes after what relies on it.

Every file is synced before its folder gets its name, that name before `latest` moves, and both before anything is deleted; the log of
metrics is synced before the checkpoint that follows on it. A run whose fsync does nothing is caught by the same reading.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from exam import jobs
from exam.harness import exam_only, need, settle
from exam.trace import Call, read, traced

_QUOTED = re.compile(r'"([^"]*)"')
_HANDLE = re.compile(r"\d+<([^>]*)>")
_STEP = re.compile(r"step-\d+")


def violations(calls: Iterable[Call], checkpoints: Path) -> tuple[int, list[str]]:
    """How many checkpoints were committed, and each order of two calls that a loss of power could turn into a loss of data."""
    unsynced: set[Path] = set()  # files with bytes that may be lost
    unnamed: dict[Path, set[str]] = defaultdict(set)  # names in a folder that may be lost
    commits, found = 0, []

    def needs_commit(what: str) -> None:
        if late := sorted(name for name in unnamed[checkpoints] if _STEP.fullmatch(name) or name == "latest"):
            found.append(f"{what} before the name {late[0]} was synced")

    for name, arguments, result in calls:
        paths = [checkpoints.parents[1] / text for text in _QUOTED.findall(arguments)]
        handle = Path(match[1]) if (match := _HANDLE.match(arguments)) else Path()
        if result.startswith("-"):
            continue
        if name == "openat" and "O_CREAT" in arguments:
            unnamed[paths[0].parent].add(paths[0].name)
        elif name in ("write", "pwrite64"):
            unsynced.add(handle)
        elif name in ("fsync", "fdatasync"):
            unsynced.discard(handle)
            unnamed[handle].clear()
        elif name.startswith("rename"):
            old, new = paths
            if new.parent == checkpoints and _STEP.fullmatch(new.name):
                commits += 1
                needed = [path for path in unsynced if old in path.parents or path.name == "metrics.jsonl"]
                found += [f"{new.name} was named before {path.name} was synced" for path in needed]
                found += [f"{new.name} was named before its own names were synced"] if unnamed[old] else []
            elif new.parent == checkpoints and new.name in ("latest", "best"):
                needs_commit(f"{new.name} moved")
                found += [f"{new.name} moved before its text was synced"] if old in unsynced else []
            elif old.parent == checkpoints and _STEP.fullmatch(old.name):
                needs_commit(f"{old.name} was taken away")
            unnamed[new.parent].add(new.name)
        elif name in ("unlink", "unlinkat", "rmdir") and any(_STEP.fullmatch(part) for path in (handle, *paths) for part in path.parts):
            needs_commit(f"{arguments} was deleted")
    return commits, found


@exam_only
@pytest.mark.slow
def test_the_order_of_calls(tmp_path: Path) -> None:
    need("strace")
    failures, commits = [], {}
    for hook in ("pause", "no_fsync"):
        folder = (tmp_path / hook).resolve()
        folder.mkdir()
        recipe = jobs.write(folder, "mlp", steps=80)
        ended = traced("train", recipe, "--out", "run", cwd=folder, hook=(hook, {}))
        assert ended.code == 0, ended.text
        commits[hook], found = violations(read(folder / "trace"), folder / "run" / "checkpoints")
        if hook == "pause":
            failures += found
        elif len(found) < 5 * commits[hook]:
            failures.append(f"a run without fsync had only {len(found)} violations: the reading is blind")
    settle("R04", commits["pause"], failures, violations_without_fsync=len(found))
