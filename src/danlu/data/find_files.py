"""Where the files of a data set are: $DANLU_DATA, else the cache folder, else fetched from where they were published.

No file is used before its SHA-256 is right.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from danlu import messages
from danlu.errors import BadInput, NoSpace
from danlu.folders import cache_folder

BLOCK = 1 << 20
MAX_BYTES = 512 << 20  # no set named here is near it; a larger answer is not the file that was asked for
TIMEOUT = 20  # seconds without a byte


def dataset_folder(name: str, files: Mapping[str, str], url: str | None = None) -> Path:
    """The folder of data set `name` that holds `files` ({file name: SHA-256}), each with the right content.

    url: what a file name is appended to when the file has to be fetched; None when the files are published nowhere in this form.
    Raises BadInput when a file is not to be had (the sentence says where to put it and its SHA-256) or has another content.
    """
    if (folder := local_folder(name, files)) is not None:
        return folder
    folder = cache_folder() / name
    missing = {file: sha for file, sha in files.items() if not (folder / file).is_file()}
    if url is None:
        raise BadInput(messages.DATA_MISSING, name=name, files=_wanted(name, missing))
    for file, sha in missing.items():
        try:
            download(url + file, folder / file, sha)
        except OSError as error:
            values = {"url": url + file, "reason": _reason(error), "files": _wanted(name, missing)}
            raise BadInput(messages.DATA_UNREACHABLE, name=name, **values) from error
    for file, sha in files.items():
        verify(folder / file, sha)
    return folder


def local_folder(name: str, files: Mapping[str, str]) -> Path | None:
    """The folder on this machine that holds all of `files`, verified, or None. Raises BadInput for a file with another content."""
    for folder in _folders(name):
        if all((folder / file).is_file() for file in files):
            for file, sha in files.items():
                verify(folder / file, sha)
            return folder
    return None


def _folders(name: str) -> list[Path]:
    own = os.environ.get("DANLU_DATA")
    return [*([Path(own).expanduser() / name] if own else []), cache_folder() / name]


def _wanted(name: str, files: Mapping[str, str]) -> str:
    folder = _folders(name)[0].absolute()
    return "\n".join(f"  {folder / file}  SHA-256 {sha}" for file, sha in files.items())


def _reason(error: BaseException) -> str:
    if isinstance(error, urllib.error.URLError) and not isinstance(error, urllib.error.HTTPError):
        return str(error.reason)
    return str(error) or type(error).__name__


def download(url: str, target: Path, sha256: str, max_bytes: int = MAX_BYTES) -> None:
    """Fetch `url` to `target`, whole or not at all.

    Raises OSError when it cannot be reached, BadInput when the content is larger than `max_bytes` or has another SHA-256, and NoSpace
    when it cannot be written.
    """
    hashed, size = hashlib.sha256(), 0
    with urllib.request.urlopen(url, timeout=TIMEOUT) as answer, written(target) as file:
        while block := _read(answer):
            size += len(block)
            if size > max_bytes:
                raise BadInput(messages.DOWNLOAD_TOO_LARGE, url=url, max_bytes=max_bytes)
            hashed.update(block)
            _write(file, block, target)
        if hashed.hexdigest() != sha256:
            raise BadInput(messages.DOWNLOAD_DIFFERS, url=url, expected=sha256, found=hashed.hexdigest())


def _read(answer: IO[bytes]) -> bytes:
    try:
        return answer.read(BLOCK)
    except http.client.HTTPException as error:
        raise ConnectionError(f"{type(error).__name__}: {error}") from error


def _write(file: IO[bytes], block: bytes, target: Path) -> None:
    try:
        file.write(block)
    except OSError as error:
        raise NoSpace(messages.CACHE_NOT_WRITABLE, path=target, reason=_reason(error)) from error


@contextmanager
def written(target: Path) -> Iterator[IO[bytes]]:
    """A file to write to, which becomes `target` when the block ends well and vanishes when it does not. Raises NoSpace."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        file = tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False)  # noqa: SIM115 (closed below)
    except OSError as error:
        raise NoSpace(messages.CACHE_NOT_WRITABLE, path=target, reason=_reason(error)) from error
    try:
        yield file
        try:
            file.flush()
            os.fsync(file.fileno())
            file.close()
            os.replace(file.name, target)
        except OSError as error:
            raise NoSpace(messages.CACHE_NOT_WRITABLE, path=target, reason=_reason(error)) from error
    except BaseException:
        file.close()
        Path(file.name).unlink(missing_ok=True)
        raise


def verify(path: Path, expected: str) -> None:
    """Raises BadInput unless the SHA-256 of the file is `expected`."""
    if (found := digest(path)) != expected:
        raise BadInput(messages.DATA_DIFFERS, path=path.absolute(), expected=expected, found=found)


def digest(path: Path) -> str:
    """SHA-256 of a file, read anew each time: a rotten block changes neither size nor time."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
