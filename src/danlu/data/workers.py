"""Rows fetched ahead by other processes, in the order in which they were asked for and equal to those fetched here."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from danlu import messages
from danlu.errors import BadInput, Trouble

PREFETCH = 4  # batches that each worker is ahead


def loader(rows: Any, batches: Iterable[tuple[Tensor, int]], workers: int) -> Iterator[tuple[Any, Any]]:
    """(inputs, targets) of each (ids [rows] int64, draw) of `batches`, in order; `workers` processes fetch them, or this one for 0.

    Batches are asked for ahead of what is consumed: count what comes out. No global generator is moved. What goes wrong in a worker is
    raised here; BadInput names a worker that died.
    """
    if workers == 0:
        for ids, draw in batches:
            yield rows.fetch(ids, draw)
        return
    ahead = DataLoader(
        _Fetched(rows),
        sampler=_Asked(batches),
        batch_size=None,
        num_workers=workers,
        collate_fn=_as_is,
        prefetch_factor=PREFETCH,
        persistent_workers=True,
        generator=torch.Generator().manual_seed(0),  # else its iterator draws from the global one
    )
    iterator = _started(ahead)
    while True:
        try:
            fetched = next(iterator)
        except StopIteration:
            return
        except (RuntimeError, OSError, EOFError) as error:
            if (died := _died(iterator)) is not None:
                raise died from error
            raise
        if isinstance(fetched, _Failed):
            raise fetched.kind(fetched.sentence, **fetched.values)
        yield fetched


class _Failed(NamedTuple):
    """Trouble in a worker as values, since an exception that is made from a sentence does not survive the way between processes."""

    kind: type[Trouble]
    sentence: Any
    values: dict[str, Any]


class _Asked:
    """The stream of batches as torch's sampler; ids travel as numpy arrays, which need no shared memory."""

    def __init__(self, batches: Iterable[tuple[Tensor, int]]):
        self.batches = batches

    def __iter__(self) -> Iterator[tuple[Any, int]]:
        for ids, draw in self.batches:
            yield ids.numpy(), draw


class _Fetched(Dataset):
    def __init__(self, rows: Any):
        self.rows = rows

    def __getitem__(self, asked: tuple[Any, int]) -> Any:
        ids, draw = asked
        try:
            return self.rows.fetch(torch.from_numpy(ids), draw)
        except Trouble as trouble:
            return _Failed(type(trouble), trouble.sentence, {key: str(value) for key, value in trouble.values.items()})


def _as_is(fetched: Any) -> Any:
    return fetched


def _started(ahead: DataLoader) -> Iterator[Any]:
    """Its iterator, with the processes running and this process's signal handler as it was.

    torch's handler for a child that dies raises in whatever line the main thread is at; without it the next fetch finds out, within 5 s.
    """
    main = threading.current_thread() is threading.main_thread() and hasattr(signal, "SIGCHLD")
    handler = signal.getsignal(signal.SIGCHLD) if main else None
    iterator = iter(ahead)
    if main and handler is not None:
        signal.signal(signal.SIGCHLD, handler)
    return iterator


def _died(iterator: Any) -> BadInput | None:
    """The sentence that names the worker that is gone, or None when all of them live."""
    processes = iterator._workers  # torch has no public way to them
    for number, process in enumerate(processes):
        process.join(timeout=0.1)
        if process.exitcode is not None:
            values = {"worker": number, "workers": len(processes), "pid": process.pid, "code": process.exitcode}
            return BadInput(messages.WORKER_DIED, **values)
    return None
