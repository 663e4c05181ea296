"""Starts the processes of a training on this machine, and ends with them: all of them finish, or none goes on.

The first process of the first machine keeps the terminal; what the others print goes to a temporary file, whose end is shown when one of
them fails (their own notes are `rank-N.log` in the run folder). A signal is passed on to all. The exit code is that of the process that
failed first, for a reason of its own.
"""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import FrameType
from typing import IO, Any

from danlu import messages
from danlu.errors import BUG, LOST, SAVED_RUN_AGAIN, say

PATIENCE = 15.0  # seconds that the others have to end by themselves once one has failed
SHOWN = 20  # lines of a failed process's output


@dataclass(frozen=True)
class Plan:
    """Who is started here. processes: on each machine; node: this machine's number; host, port: where all meet (0: a free one)."""

    processes: int
    nodes: int = 1
    node: int = 0
    host: str = "127.0.0.1"
    port: int = 0

    @property
    def ranks(self) -> range:
        return range(self.node * self.processes, (self.node + 1) * self.processes)

    def environment(self, rank: int) -> dict[str, str]:
        return {
            "RANK": str(rank),
            "WORLD_SIZE": str(self.processes * self.nodes),
            "LOCAL_RANK": str(rank - self.ranks.start),
            "LOCAL_WORLD_SIZE": str(self.processes),
            "MASTER_ADDR": self.host,
            "MASTER_PORT": str(self.port or "PORT"),
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // self.processes))),
        }


def command_line(plan: Plan, rank: int, arguments: Sequence[str]) -> str:
    """What a shell would be given to start one process."""
    settings = " ".join(f"{name}={value}" for name, value in plan.environment(rank).items())
    return f"{settings} {shlex.join([sys.executable, '-m', 'danlu', *arguments])}"


def launch(plan: Plan, arguments: Sequence[str]) -> int:
    """Run `danlu ARGUMENTS` on every process of the plan that is of this machine; the exit code."""
    plan = plan if plan.port else replace(plan, port=_free_port())
    started: dict[int, subprocess.Popen[bytes]] = {}
    outputs: dict[int, IO[bytes]] = {}

    def pass_on(number: int, frame: FrameType | None) -> None:
        for process in started.values():
            if process.poll() is None:
                process.send_signal(number)

    heard = [signal.SIGTERM, signal.SIGINT, *([signal.SIGUSR1] if hasattr(signal, "SIGUSR1") else [])]
    before = {number: signal.signal(number, pass_on) for number in heard}
    try:
        for rank in plan.ranks:
            quiet: Any = {}
            if rank:
                outputs[rank] = tempfile.TemporaryFile()  # noqa: SIM115 (closed below)
                quiet = {"stdout": outputs[rank], "stderr": subprocess.STDOUT}
            started[rank] = subprocess.Popen(
                [sys.executable, "-m", "danlu", *arguments],
                env={**os.environ, **plan.environment(rank)},
                start_new_session=True,  # Ctrl-C is passed on once, and does not reach them twice
                **quiet,
            )
        return _ended(started, outputs)
    finally:
        for process in started.values():
            if process.poll() is None:
                process.kill()
                process.wait()
        for number, handler in before.items():
            signal.signal(number, handler)
        for output in outputs.values():
            output.close()


def _ended(started: dict[int, subprocess.Popen[bytes]], outputs: dict[int, IO[bytes]]) -> int:
    """Wait for all; once one has failed the others have `PATIENCE` seconds. The exit code of the whole."""
    failed: list[tuple[int, int]] = []  # rank and code, in the order in which they were seen
    seen: set[int] = set()
    until = float("inf")
    while len(seen) < len(started):
        for rank, process in started.items():
            if rank not in seen and (code := process.poll()) is not None:
                seen.add(rank)
                if code:
                    failed.append((rank, code))
                    until = min(until, time.monotonic() + PATIENCE)
        if time.monotonic() > until:
            for rank, process in started.items():
                if rank not in seen:
                    print(say(messages.LAUNCH_KILLED, rank=rank, seconds=PATIENCE), file=sys.stderr)
                    process.kill()
            until = float("inf")
        time.sleep(0.05)
    if not failed:
        return 0
    rank, code = next(((rank, code) for rank, code in failed if code not in (LOST, SAVED_RUN_AGAIN)), failed[0])
    if rank in outputs and code != SAVED_RUN_AGAIN:
        outputs[rank].seek(0)
        lines = outputs[rank].read().decode(errors="replace").splitlines()[-SHOWN:]
        print("\n".join([say(messages.LAUNCH_FAILED, rank=rank, code=code), *lines]), file=sys.stderr)
    return code if code > 0 else BUG if code != -signal.SIGKILL else LOST


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
