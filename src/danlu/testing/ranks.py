"""Several processes that run the same function together, for tests: `with Ranks(2) as ranks: ranks.call(train, recipe)`.

They are started once (fresh interpreters, one thread each, gloo on the loopback) and answer many calls.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any


class Ranks:
    """`world` processes. seconds: how long a call may take before all of them are killed."""

    def __init__(self, world: int, seconds: float = 120.0):
        self.world, self.seconds = world, seconds
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        context = multiprocessing.get_context("spawn")
        pipes = [context.Pipe() for _ in range(world)]
        self._here = [here for here, _ in pipes]
        self._processes = [context.Process(target=_serve, args=(k, world, port, there), daemon=True) for k, (_, there) in enumerate(pipes)]
        for process in self._processes:
            process.start()

    def call(self, fn: Callable[..., Any], *args: Any) -> list[Any]:
        """What `fn(*args)` returned on each process. An error on one is raised here, as AssertionError with its traceback."""
        for pipe in self._here:
            pipe.send((fn, args))
        found: dict[int, Any] = {}
        while len(found) < self.world:
            ready = wait([pipe for k, pipe in enumerate(self._here) if k not in found], self.seconds)
            if not ready:
                self.kill()
                missing = sorted(set(range(self.world)) - found.keys())
                raise AssertionError(f"no answer from processes {missing} within {self.seconds} s; the others: {found}")
            for pipe in ready:  # type: ignore[assignment]
                place = self._here.index(pipe)  # type: ignore[arg-type]
                ok, value = pipe.recv()  # type: ignore[union-attr]
                if not ok:
                    self.kill()  # the others may wait for it for ever
                    raise AssertionError(f"process {place}: {value}")
                found[place] = value
        return [found[place] for place in range(self.world)]

    @property
    def ended(self) -> bool:
        """Whether they answer no more: an error on one ends all."""
        return not all(process.is_alive() for process in self._processes)

    def kill(self) -> None:
        for process in self._processes:
            process.kill()
            process.join()

    def __enter__(self) -> Ranks:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.kill()


def _serve(rank: int, world: int, port: int, pipe: Connection) -> None:
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(world), "LOCAL_RANK": str(rank)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    import torch

    torch.set_num_threads(1)
    while True:
        fn, args = pipe.recv()
        try:
            pipe.send((True, fn(*args)))
        except BaseException:
            pipe.send((False, traceback.format_exc()))
