"""Arrays that take long to make (decoded images, encoded text), kept in the cache folder under a key that names their content."""

from __future__ import annotations

import zipfile
from collections.abc import Callable

import numpy as np

from danlu.data import find_files
from danlu.errors import BadInput, NoSpace
from danlu.packed import check_stored


def cached(key: str, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """What `make()` returns; the second time it is read from the cache. `key` must change with everything that `make` depends on."""
    path = find_files.cache_folder() / "derived" / f"{key}.npz"
    try:
        check_stored(path)
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}  # the archive's CRC finds a damaged file
    except (OSError, ValueError, EOFError, MemoryError, zipfile.BadZipFile, BadInput):  # none, or not one of ours
        pass
    arrays = make()
    try:
        with find_files.written(path) as out:
            np.savez(out, **arrays)  # type: ignore[arg-type]  # a name of an array could be `allow_pickle`; ours are not
    except (NoSpace, OSError):  # kept nowhere: made again next time
        pass
    return arrays
