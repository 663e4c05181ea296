"""Zip archives that would grow when they are read (`.npz`, torch's `.pt`): found out before a byte of them is unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path

from danlu import messages
from danlu.errors import BadInput


def check_stored(path: Path) -> None:
    """Refuse an archive whose parts are packed, or lie over one another: a few bytes of it could become any number.

    `torch.save` and `numpy.savez` store what they are given as it is. Raises BadInput; BadZipFile and OSError for what is no archive.
    """
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
    for part in parts:
        if part.compress_type != zipfile.ZIP_STORED or part.file_size != part.compress_size:
            raise BadInput(messages.ARCHIVE_PACKED, path=path, part=part.filename, found=part.compress_size, size=part.file_size)
    if (size := sum(part.file_size for part in parts)) > (found := path.stat().st_size):
        raise BadInput(messages.ARCHIVE_OVERLAPS, path=path, found=found, size=size)
