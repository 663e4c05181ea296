"""The fork server: it has imported everything and trained once, and forks a command (`danlu`'s, unless told) for each line that it is sent.

A forked command starts in milliseconds, where a new interpreter needs seconds; R01 shows that it computes the same bits. Lines in:
{"arguments": [...], "cwd": ..., "log": ..., "hook": [name, {options}] or null}. Lines out: {"pid": n}, later {"pid": n, "code": n}.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def serve(command: Callable[[], int] | None = None, warm: Callable[[], None] | None = None) -> None:
    """Answer on standard output what comes in on standard input, until that ends.

    command: what a child does after its hook, its exit code; the arguments are in `sys.argv`. warm: what imports all that it needs.
    """
    command, warm = command or _danlu, warm or _warm
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C at the terminal is for pytest
    answers = os.dup(1)
    os.dup2(2, 1)
    warm()
    gc.freeze()  # a collection in a child would touch, and so copy, every page
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    rest = b""
    while True:
        ready, _, _ = select.select([0, ended], [], [])
        if ended in ready:
            os.read(ended, 4096)
            for pid, code in _reaped():
                os.write(answers, json.dumps({"pid": pid, "code": code}).encode() + b"\n")
        if 0 in ready:
            if not (found := os.read(0, 1 << 16)):
                return
            *lines, rest = (rest + found).split(b"\n")
            for line in lines:
                if (pid := os.fork()) == 0:
                    signal.set_wakeup_fd(-1)
                    for handle in (ended, wake, answers):
                        os.close(handle)
                    sys.exit(_child(command, **json.loads(line)))
                os.write(answers, json.dumps({"pid": pid}).encode() + b"\n")


def _reaped() -> list[tuple[int, int]]:
    found = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        found.append((pid, os.waitstatus_to_exitcode(status)))


def _child(command: Callable[[], int], arguments: list[str], cwd: str, log: str, hook: Any) -> int:
    """In the forked process."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.chdir(cwd)
    null, text = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for handle, place in ((null, 0), (text, 1), (text, 2)):
        os.dup2(handle, place)
    sys.argv[1:] = arguments
    if hook:
        from exam import hooks

        getattr(hooks, hook[0])(**hook[1])
    return command()


def _danlu() -> int:
    from danlu.cli.main import main

    return main()


def _warm() -> None:
    """Import what the commands import, and train each job for an epoch."""
    import torch

    from danlu.cli.main import main
    from exam import hooks, jobs  # noqa: F401

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        for name in jobs.NAMES:
            recipe = jobs.write(Path(folder), name, steps=6)
            if main(["train", str(recipe), "--out", f"{folder}/{name}"]):
                raise SystemExit(f"the exam's own job {name} does not train")
