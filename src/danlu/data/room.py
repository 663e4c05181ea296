"""Room for rows: in memory, or, where they are large, in an unnamed file on the disk that the system maps and gives back by itself."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from danlu import messages
from danlu.data.source import Tensors
from danlu.errors import BadInput
from danlu.folders import cache_folder

LARGE = 1 << 26  # bytes from which rows are kept in a file
BLOCK = 1 << 18  # rows that are shown at once


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


@dataclass(frozen=True, eq=False)
class Mapped(Tensors):
    """Large rows: `content` shows them block by block, since a sum over all of them at once would take twice their size in memory."""

    def content(self) -> tuple[Any, Any]:
        inputs = {f"{name} {place}": block for name, value in self.inputs.items() for place, block in enumerate(value.split(BLOCK))}
        return inputs, self.targets


def rows_of(inputs: dict[str, Tensor], targets: Tensor, workers: int) -> Tensors:
    """Rows of these inputs, whatever their size."""
    large = any(value.nbytes >= LARGE for value in inputs.values())
    return (Mapped if large else Tensors)(inputs, targets, workers)
