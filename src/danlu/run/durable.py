"""Writing files so that after a crash each is whole or absent: private modes, fsync before every rename, atomic replacement."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_CHUNK = 1 << 24
_LARGE = 1 << 20  # hashing a smaller piece costs less than handing it to another thread
_FLUSH = 1 << 26  # bytes after which the disk is set to work, beside the writing
_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


def write(path: Path, pieces: Iterable[bytes | memoryview]) -> tuple[int, str]:
    """Make the new file `path` (mode 0600), durable before this returns: its size and SHA-256. Raises OSError."""
    digest, size, unflushed, flushing = hashlib.sha256(), 0, 0, None
    handle = os.open(path, _NEW, 0o600)
    try:
        with ThreadPoolExecutor(2) as beside:  # hashing goes on beside the write: SHA-256 is about as slow as a disk
            for piece in pieces:
                view = memoryview(piece).cast("B")
                for start in range(0, len(view), _CHUNK):
                    part = view[start : start + _CHUNK]
                    hashed = beside.submit(digest.update, part) if len(part) >= _LARGE else None
                    _write_all(handle, part)
                    hashed.result() if hashed else digest.update(part)
                    unflushed += len(part)
                    if unflushed >= _FLUSH and (flushing is None or flushing.done()):
                        _raised(flushing)
                        flushing, unflushed = beside.submit(_flush, handle), 0
                size += len(view)
        _raised(flushing)
        _sync(handle)
    finally:
        os.close(handle)
    return size, digest.hexdigest()


def fresh(path: Path) -> int:
    """A handle to the new file `path`, of the user's own mode. What lies there, a link too, is taken away and never written through."""
    path.unlink(missing_ok=True)
    return os.open(path, _NEW, 0o666)


def replace(path: Path, text: str) -> None:
    """Put a file with this text in the place of `path`: after a crash it is the old one or the new one.

    A byte of a file name that is no UTF-8 is written as the escape that JSON reads back.
    """
    new = path.with_name(path.name + ".tmp")
    new.unlink(missing_ok=True)
    write(new, [text.encode(errors="backslashreplace")])
    os.replace(new, path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable (a no-op on Windows, where folders cannot be opened)."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(path: Path) -> tuple[int, str]:
    """Size and SHA-256 of a file, read in pieces."""
    digest, size = hashlib.sha256(), 0
    with open(path, "rb", buffering=0) as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def discard(folder: Path) -> None:
    """Make a folder vanish at once (by its name), then delete it. What cannot be deleted now stays for the next time; it does no harm."""
    gone = folder.with_name(folder.name + ".tmp")
    with contextlib.suppress(OSError):
        os.rename(folder, gone)
        shutil.rmtree(gone, ignore_errors=True)


def _write_all(handle: int, view: memoryview) -> None:
    while len(view):
        view = view[os.write(handle, view) :]


def _flush(handle: int) -> None:
    """What was written so far goes to the disk now, and not all at the end."""
    if hasattr(os, "fdatasync"):
        os.fdatasync(handle)


def _raised(flushing: Future[None] | None) -> None:
    """The system tells of a failed write once only: to a flush, the sync after it would then succeed."""
    if flushing is not None:
        flushing.result()


def _sync(handle: int) -> None:
    full = getattr(fcntl, "F_FULLFSYNC", None)  # macOS: fsync alone leaves the data in the drive's cache
    if full is not None:
        fcntl.fcntl(handle, full)
    else:
        os.fsync(handle)
