"""One process a run folder: a lock that the system takes back when its owner dies, so a stale one cannot exist."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import time
from datetime import datetime
from pathlib import Path

from danlu import messages
from danlu.errors import BadInput, Busy

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]
    import msvcrt

_FAR = 1 << 30  # Windows locks bytes against reading, too: lock one beyond the text
_held: set[int] = set()


def acquire(folder: Path) -> int:
    """Lock `folder` for this process and write into its file `lock` who has it: the handle to release. Raises Busy, naming the owner."""
    path = folder / "lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        _lock(handle)
    except OSError as error:
        os.close(handle)
        if error.errno not in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
            raise BadInput(messages.NO_LOCKS, folder=folder, reason=error.strerror) from error
        raise Busy(messages.RUN_BUSY, folder=folder, **owner(path)) from None
    _held.add(handle)
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    os.ftruncate(handle, 0)
    os.lseek(handle, 0, os.SEEK_SET)
    os.write(handle, json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": now}).encode())
    return handle


def release(handle: int) -> None:
    """Give the folder back. The file stays, empty: deleting it would let two processes lock two files of one name."""
    if handle in _held:
        _held.discard(handle)
        os.ftruncate(handle, 0)
        os.close(handle)


def owner(path: Path) -> dict[str, str]:
    """Who says in the file that the lock is theirs: pid, host, since; `?` where the file does not say."""
    for _ in range(20):  # the owner may have locked it this very moment and not written yet
        with contextlib.suppress(OSError, ValueError):
            found = json.loads(path.read_text(encoding="utf-8"))
            return {key: str(found.get(key, "?")) for key in ("pid", "host", "since")}
        time.sleep(0.02)
    return {"pid": "?", "host": "?", "since": "?"}


def _lock(handle: int) -> None:
    if fcntl is not None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # not lockf: closing any other handle of the file would drop that one
    else:
        os.lseek(handle, _FAR, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)


def _let_go() -> None:
    """A forked child shares the lock; a data worker that outlives a killed parent must not keep it."""
    for handle in _held:
        os.close(handle)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
