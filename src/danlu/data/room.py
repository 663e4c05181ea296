"""Room for rows: in memory, or, where they are large, in an unnamed file on the disk that the system maps and gives back by itself."""

from __future__ import annotations

import math
import tempfile

import numpy as np
import torch
from torch import Tensor

from danlu import messages
from danlu.errors import BadInput
from danlu.folders import cache_folder

LARGE = 1 << 26  # bytes from which rows are kept in a file


def room(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """An uninitialised tensor; a large one lies in a file of the cache folder that is gone with the process.

    Raises BadInput where the disk has no room for it.
    """
    size = math.prod(shape) * dtype.itemsize
    if size < LARGE:
        return torch.empty(shape, dtype=dtype)
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.truncate(size)
            return torch.from_numpy(np.memmap(file, np.uint8, "r+", shape=(size,))).view(dtype).view(shape)
    except OSError as error:
        raise BadInput(messages.NO_ROOM, size=f"{size / 1e9:.1f}", folder=folder, reason=error.strerror or error) from error
