"""strace on a command that has stopped itself (see `hooks`): system calls are written down, or one of them kills or fails."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from exam.harness import PATIENCE, Ended, Started, start

CALLS = (
    "openat", "write", "pwrite64", "fsync", "fdatasync", "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "mkdir",
    "mkdirat", "ftruncate",
)  # fmt: skip


class Call(NamedTuple):
    """A line of strace's log: the call, its arguments as text, and what it returned."""

    name: str
    arguments: str
    result: str


def traced(*arguments: Any, cwd: Path, hook: tuple[str, dict[str, Any]], inject: str = "", calls: tuple[str, ...] = CALLS) -> Ended:
    """Run a command whose hook stops it; from there on strace writes `calls` to `cwd/trace`, and does what `inject` says."""
    started = start(*arguments, cwd=cwd, hook=hook)
    stopped(started)
    options = ["-f", "-qq", "-y", "-s", "0", "-o", str(cwd / "trace"), "-e", f"trace={','.join(calls)}"]
    if inject:
        options += ["-e", f"inject={inject}"]
    tracer = subprocess.Popen(["strace", *options, "-p", str(started.pid)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _until(lambda: started.over or tracer.poll() is not None or _status(started.pid, "TracerPid") not in ("", "0"))
    if tracer.poll() is not None and not started.over:
        started.kill()
        raise RuntimeError(f"strace does not attach: {tracer.stderr.read().decode()}")  # type: ignore[union-attr]
    started.send(signal.SIGCONT)
    ended = started.wait()
    tracer.wait(timeout=PATIENCE)
    return ended


def stopped(command: Started) -> None:
    """Wait until a command has stopped itself (or is over)."""
    _until(lambda: command.over or _status(command.pid, "State").startswith("T"))


def read(path: Path) -> Iterator[Call]:
    """The calls in a log of strace that came to an end, in that order. (A line may be in two parts, with another thread's between.)"""
    waiting: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        thread, _, text = line.partition(" ")
        text = text.strip()
        if text.endswith("<unfinished ...>"):
            waiting[thread] = text.removesuffix("<unfinished ...>")
            continue
        if resumed := re.match(r"<\.\.\. \w+ resumed>(.*)", text):
            text = waiting.pop(thread, "") + resumed[1]
        if found := re.match(r"(\w+)\((.*)\)\s+= (.+)", text):
            yield Call(*found.groups())


def _until(condition: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("a command neither stopped itself nor ended")
        time.sleep(0.002)


def _status(pid: int, key: str) -> str:
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in text.splitlines() if line.startswith(f"{key}:")), "")
