"""What is done to a forked command before it begins, named in its request (see `forked`): it stops, pauses or fails at a chosen point."""

from __future__ import annotations

import os
import signal
from typing import Any

SAVED = 42  # the exit code of a command that was told to end after a save


def at_step(step: int, number: int = signal.SIGKILL) -> None:
    """This process gets a signal, once, when step `step` has been logged."""
    from danlu.run.session import Session

    noted, sent = Session.note, False

    def note(self: Any, found: Any) -> None:
        nonlocal sent
        noted(self, found)
        if found.step == step and not sent:
            sent = True
            os.kill(os.getpid(), number)

    Session.note = note  # type: ignore[method-assign]


def at_backward(count: int, number: int = signal.SIGKILL) -> None:
    """This process gets a signal at its `count`-th call of backward: one for each micro-batch."""
    import torch

    backward, calls = torch.autograd.backward, 0

    def counted(*args: Any, **options: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == count:
            os.kill(os.getpid(), number)
        backward(*args, **options)

    torch.autograd.backward = counted


def around_save(step: int) -> None:
    """This process stops (SIGSTOP) just before it saves step `step`, and ends with the code SAVED once that is durable and told."""
    from danlu.run.session import Session

    save = Session.save

    def saved(self: Any, run: Any, found: Any) -> None:
        if found.step == step:
            os.kill(os.getpid(), signal.SIGSTOP)
        save(self, run, found)
        if found.step == step:
            self.saver.wait()
            os._exit(SAVED)

    Session.save = saved  # type: ignore[method-assign]


def bound_by_modes(step: int) -> None:
    """The modes of files bind this process, root's too (it drops CAP_DAC_OVERRIDE); it stops just before it saves step `step`."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; then the upper halves
    if os.geteuid() == 0:
        if libc.capget(header, sets):
            raise OSError(ctypes.get_errno(), "capget")
        sets[0] &= ~(1 << 1)
        if libc.capset(header, sets):
            raise OSError(ctypes.get_errno(), "capset")
    around_save(step)


def pause() -> None:
    """This process stops (SIGSTOP) at once."""
    os.kill(os.getpid(), signal.SIGSTOP)


def no_fsync() -> None:
    """fsync does nothing, and the process stops at once: what a test of durability must notice."""
    os.fsync = lambda handle: None
    pause()


def torn_log(write: int, share: float) -> None:
    """At the `write`-th write to metrics.jsonl only a share of it is written; then this process is killed."""
    from danlu.run import log

    plain, begun, handles, count = os.write, log.Log.__init__, set(), 0

    def opened(self: Any, path: Any, *args: Any, **options: Any) -> None:
        begun(self, path, *args, **options)
        if path.name == "metrics.jsonl":
            handles.add(self._handle)

    def torn(handle: int, data: Any) -> int:
        nonlocal count
        count += handle in handles
        if handle in handles and count == write:
            plain(handle, bytes(data)[: int(share * len(data))])
            os.kill(os.getpid(), signal.SIGKILL)
        return plain(handle, data)

    log.Log.__init__, os.write = opened, torn  # type: ignore[method-assign, assignment]


def slow_save(seconds: float) -> None:
    """Every file that is saved takes so many seconds more, in whichever thread writes it."""
    import time

    from danlu.run import durable

    write = durable.write

    def slow(path: Any, pieces: Any) -> Any:
        time.sleep(seconds)
        return write(path, pieces)

    durable.write = slow


def other_danlu() -> None:
    """The source of danlu seems to be another than it was."""
    from danlu.run import changes, record

    changes.source_digest = record.source_digest = lambda: "0" * 64  # type: ignore[assignment]


def clock(step: int, seconds: float, kill: int) -> None:
    """The clock on the wall jumps by `seconds` when step `step` has been logged; this process is killed at step `kill`."""
    import datetime as standard
    import sys
    import time

    from danlu.run.session import Session

    wall, jumped = time.time, 0.0

    class Jumping(standard.datetime):
        @classmethod
        def now(cls, zone: Any = None) -> Any:
            return standard.datetime.fromtimestamp(time.time(), zone)

    noted, day, strftime = Session.note, standard.date, time.strftime
    time.time = lambda: wall() + jumped
    time.strftime = lambda form, at=None: strftime(form, at or time.localtime(time.time()))

    class Day(standard.date):
        @classmethod
        def today(cls) -> Any:
            return day.fromtimestamp(time.time())

    for name, module in list(sys.modules.items()):
        if name.startswith("danlu"):
            for own, other in ((standard.datetime, Jumping), (day, Day)):
                for key, value in list(vars(module).items()):
                    if value is own:
                        setattr(module, key, other)

    def note(self: Any, found: Any) -> None:
        nonlocal jumped
        if found.step == step:
            jumped = seconds
        noted(self, found)
        if found.step == kill:
            os.kill(os.getpid(), signal.SIGKILL)

    Session.note = note  # type: ignore[method-assign]


def interrupted_early() -> None:
    """Ctrl-C when the data is about to be made."""
    from danlu import build

    def data(recipe: Any) -> Any:
        raise KeyboardInterrupt

    build.data = data  # type: ignore[assignment]


def out_of_memory(fits: int, step: int) -> None:
    """From step `step` on (counted from 0) the allocator fails for a forward pass with a gradient over more than `fits` rows."""
    import torch

    from danlu.run.session import Session

    noted, now = Session.note, 0

    def note(self: Any, found: Any) -> None:
        nonlocal now
        now = found.step
        noted(self, found)

    def allocate(module: Any, inputs: Any) -> None:
        if now < step or not torch.is_grad_enabled() or not isinstance(module, torch.nn.Linear | torch.nn.Conv2d):
            return
        if (rows := len(inputs[0])) > fits:
            raise torch.OutOfMemoryError(f"Tried to allocate {rows} rows.")

    Session.note = note  # type: ignore[method-assign]
    torch.nn.modules.module.register_module_forward_pre_hook(allocate)
