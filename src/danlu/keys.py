"""Random numbers as functions of names: (seed, purpose, step, sample id) decide every draw, so no order of calls can change it.

`mix` hashes integers to 63 bits; `generator` makes a torch generator for one purpose; `uniform` draws per sample, the same whatever
batch a sample is in; `Keyed` is what the loop sets before each evaluation of the model, and what `nets.Dropout` reads.
(Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"; the mixer is SplitMix64's, Steele et al. 2014.)
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

_MASK = (1 << 64) - 1


def mix(*words: int | str) -> int:
    """A 63-bit hash of integers and strings; the same on every machine and in every process."""
    state = 0x9E3779B97F4A7C15
    for word in words:
        number = zlib.crc32(word.encode()) if isinstance(word, str) else word
        state = (state ^ number) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state = (state ^ (state >> 31)) + 0x9E3779B97F4A7C15
    return state >> 1 & (_MASK >> 1)


def mixes(*words: Any) -> Any:
    """`mix` of every row of arrays at once: words are integers, strings, or integer arrays that broadcast; int64 of their common shape."""
    state: Any = np.uint64(0x9E3779B97F4A7C15)
    with np.errstate(over="ignore"):
        for word in words:
            state = state ^ (np.uint64(zlib.crc32(word.encode())) if isinstance(word, str) else np.asarray(word).astype(np.uint64))
            state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            state = (state ^ (state >> np.uint64(31))) + np.uint64(0x9E3779B97F4A7C15)
    return (state >> np.uint64(1)).astype(np.int64)


def generator(*words: int | str) -> torch.Generator:
    """A CPU generator for one purpose: `generator(seed, "order", epoch)`."""
    return torch.Generator().manual_seed(mix(*words))


def _scramble(x: Tensor) -> Tensor:
    """Hash every int64 of `x` (values below 2**32) to 32 well-mixed bits (lowbias32 of hash-prospector, Wellons 2018)."""
    x = (x ^ (x >> 16)) * 0x7FEB352D & 0xFFFFFFFF
    x = (x ^ (x >> 15)) * 0x846CA68B & 0xFFFFFFFF  # an int64 product that wraps keeps its low 32 bits
    return x ^ (x >> 16)


def uniform(ids: Tensor, *words: int | str, shape: tuple[int, ...] = ()) -> Tensor:
    """Float32 uniforms in [0, 1), shape [rows, *shape]; row r depends on (words, ids[r]) only, on no other row.

    ids: [rows] int64 global sample ids, on the device where the result is wanted.
    """
    return uniform_at(ids, mix(*words), shape)


def uniform_at(ids: Tensor, key: Any, shape: tuple[int, ...] = ()) -> Tensor:
    """The same from a key that `mix` made: an integer, or a 0-d int64 tensor."""
    rows = _scramble(_scramble(ids & 0xFFFFFFFF ^ key & 0xFFFFFFFF) ^ (ids >> 32 & 0x7FFFFFFF) ^ key >> 32)
    if shape:
        length = 1
        for size in shape:
            length *= size
        place = _scramble(torch.arange(length, device=ids.device))
        rows = _scramble(rows[:, None] ^ place).view(len(ids), *shape)
    return (rows >> 8).to(torch.float32) * 2.0**-24


class Keyed:
    """The key of the evaluation that is going on: set by the loop, read by `nets.Dropout`. One per process."""

    seed: int = 0
    step: int = 0
    ids: Tensor | None = None  # [rows] global sample ids of the batch the model is looking at; None outside a step
    calls: dict[str, int] = {}  # how often each module drew in this evaluation, so that a second pass draws anew
    key: Callable[[str, int], Any] | None = None  # the key of a module's nth draw where many models are one program (study.ensemble)

    @classmethod
    def draw(cls, path: str, shape: tuple[int, ...], rows: int) -> Tensor | None:
        """Uniforms [rows, *shape] for the module at `path`, or None outside a step."""
        if cls.ids is None:
            return None
        nth = cls.calls.get(path, 0)
        cls.calls[path] = nth + 1
        ids = cls.ids
        if rows != len(ids):
            copies, rest = divmod(rows, len(ids))
            if rest:
                return None
            ids = (ids[None, :] + (torch.arange(copies, device=ids.device) << 40)[:, None]).flatten()
        key = mix(cls.seed, "dropout", path, cls.step, nth) if cls.key is None else cls.key(path, nth)
        return uniform_at(ids, key, shape)


@contextmanager
def unkeyed() -> Iterator[None]:
    """Inside, modules draw from torch's own generator, as they do outside danlu."""
    ids, Keyed.ids = Keyed.ids, None
    try:
        yield
    finally:
        Keyed.ids = ids
