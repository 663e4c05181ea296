"""What the items of the exam share: sizes, verdicts, commands that are started and killed, and what a run folder holds afterwards.

An item is a file `test_<id>_<what>.py` that ends in `settle`, which prints one line of JSON; the first line of its docstring says what is
asked. Each has a fast size (`make test`) and a full one (`make exam`, which sets DANLU_EXAM=full and writes docs/exam.md).
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from danlu.run import checkpoint, log
from danlu.run.tree import Encoder, raw
from exam.hooks import SAVED

FULL = os.environ.get("DANLU_EXAM") == "full"
LINES = os.environ.get("DANLU_EXAM_LINES")  # the file that `write.py` collects the lines in
ROOT = Path(__file__).resolve().parents[1]
_began = time.monotonic()  # the item that is going on; `conftest` sets it
PATIENCE = 120.0  # seconds that any one command may take, on the slowest machine


def size(fast: Any, full: Any) -> Any:
    """Which of the two this run of the exam uses."""
    return full if FULL else fast


exam_only = pytest.mark.skipif(not FULL, reason="runs in make exam")


def need(*tools: str) -> None:
    """Skip the item where a tool of the system is missing; the full exam fails instead."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        (pytest.fail if FULL else pytest.skip)(f"{', '.join(missing)} is not on this machine")


def need_linux() -> None:
    """Skip the item where there is no /proc; the full exam fails instead."""
    if not sys.platform.startswith("linux"):
        (pytest.fail if FULL else pytest.skip)("/proc is read")


def need_data(*names: str) -> tuple[list[str], Path]:
    """Which of the data sets are on this machine, and the folder that they are in; skip where none is (the full exam fails instead)."""
    folder = Path(os.environ.get("DANLU_DATA") or "nowhere")
    there = [name for name in names if (folder / name).is_dir()]
    if not there or (FULL and len(there) < len(names)):
        (pytest.fail if FULL else pytest.skip)("data sets are not on this machine: set DANLU_DATA")
    return there, folder


def settle(item: str, n: int, failures: Sequence[str] = (), **detail: Any) -> None:
    """Print the item's line, and fail with the first failures if there are any.

    n: trials. failures: a sentence for each trial that failed. detail: figures for the table, plain values.
    """
    passed = n > 0 and not failures
    line = {"item": item, "passed": passed, "n": n, "failed": len(failures), "full": FULL, "detail": detail}
    line["seconds"] = round(time.monotonic() - _began, 1)
    text = json.dumps(line, ensure_ascii=False)
    print(text)
    if LINES:
        with open(LINES, "a", encoding="utf-8") as file:
            file.write(text + "\n")
    assert passed, f"{item}: {len(failures)} of {n} failed:\n" + "\n".join(failures[:5])


# ---- commands ----


class Ended(NamedTuple):
    """A command that is over. code: its exit code, or the negative number of the signal that ended it. text: all that it printed."""

    code: int
    text: str
    seconds: float

    @property
    def last(self) -> str:
        """The last line that it printed."""
        return self.text.strip().rpartition("\n")[2]


endings: list[Ended] = []  # of every command so far that failed by itself; see `conftest`


def noted(ended: Ended) -> Ended:
    """The same, remembered if it is a failure: R34 asks of each that it be clear."""
    if ended.code > 0 and ended.code != SAVED:
        endings.append(ended)
    return ended


class Started:
    """A `danlu` command that is going on."""

    def __init__(self, server: Server, pid: int, log: Path):
        self._server, self.pid, self._log, self._began = server, pid, log, time.monotonic()
        self._place = log.stat().st_size if log.exists() else 0

    def send(self, number: int) -> None:
        """Send it a signal; nothing happens if it is over."""
        if not self.over:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)

    @property
    def over(self) -> bool:
        self._server.listen()
        return self.pid in self._server.codes

    def wait(self, patience: float = PATIENCE) -> Ended:
        """Until it is over. One that takes longer is killed, and the test fails."""
        if not self._server.until(lambda: self.pid in self._server.codes, patience):
            self.kill()
            pytest.fail(f"a command was not over after {patience:g} s: {self._log}")
        text = self._log.read_bytes()[self._place :].decode("utf-8", "replace") if self._log.exists() else ""
        ended = Ended(self._server.codes[self.pid], text, time.monotonic() - self._began)
        return noted(ended) if self._server is _server() else ended


class Server:
    """The process of `forked`, and what it has answered. code: what it executes to serve."""

    def __init__(self, python: str = sys.executable, code: str = "from exam.forked import serve; serve()") -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (as long as the server lives)
        self._process = subprocess.Popen(
            [python, "-c", code],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        self.codes: dict[int, int] = {}
        self._pids: list[int] = []
        self._answers: queue.Queue[dict[str, int] | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        atexit.register(self.close)

    def start(self, arguments: Sequence[str], cwd: Path, hook: tuple[str, dict[str, Any]] | None = None) -> Started:
        log = cwd / "log"
        asked = {"arguments": list(map(str, arguments)), "cwd": str(cwd), "log": str(log), "hook": hook}
        before = len(self._pids)
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")  # type: ignore[union-attr]
        self._process.stdin.flush()  # type: ignore[union-attr]
        started = Started(self, 0, log)
        if not self.until(lambda: len(self._pids) > before, PATIENCE):
            pytest.fail("the fork server does not answer")
        started.pid = self._pids[before]
        return started

    def until(self, condition: Any, patience: float) -> bool:
        end = time.monotonic() + patience
        self.listen()
        while not condition():
            left = end - time.monotonic()
            if left <= 0:
                return False
            self.listen(min(left, 1.0))
        return True

    def listen(self, patience: float = 0.0) -> None:
        """Take in what has been answered; wait up to `patience` seconds if that is nothing."""
        while True:
            try:
                answer = self._answers.get(timeout=patience) if patience else self._answers.get_nowait()
            except queue.Empty:
                return
            if answer is None:
                self._errors.seek(0)
                pytest.fail(f"the fork server is gone:\n{self._errors.read()[-2000:]}")
            patience = 0.0
            if "code" in answer:
                self.codes[answer["pid"]] = answer["code"]
            else:
                self.codes.pop(answer["pid"], None)  # pids come again
                self._pids.append(answer["pid"])

    def close(self) -> None:
        self._process.stdin.close()  # type: ignore[union-attr]
        self._process.wait()

    def _read(self) -> None:
        for line in self._process.stdout:  # type: ignore[union-attr]
            self._answers.put(json.loads(line))
        self._answers.put(None)


@cache
def _server() -> Server:
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    return Server()


def start(*arguments: Any, cwd: Path, hook: tuple[str, dict[str, Any]] | None = None) -> Started:
    """Start `danlu ARGUMENTS` in the folder `cwd`, forked from a process that has everything imported.

    A training is started without the check before it, whose own steps the items that watch steps would see.

    hook: the name of a function in `exam.hooks` and its options; it is called first, in the new process.
    """
    unchecked = ("--no-check",) if arguments[:1] == ("train",) else ()
    return _server().start((*arguments[:1], *unchecked, *arguments[1:]), cwd, hook)


def run(*arguments: Any, cwd: Path, hook: tuple[str, dict[str, Any]] | None = None) -> Ended:
    """Run `danlu ARGUMENTS` to its end."""
    return start(*arguments, cwd=cwd, hook=hook).wait()


def go_on(recipe: Path, cwd: Path) -> Ended:
    """`danlu resume run`; or, where the run came to nothing yet, the command that began it."""
    begun = (cwd / "run" / "recipe.json").exists()
    return run("resume", "run", cwd=cwd) if begun else run("train", recipe, "--out", "run", cwd=cwd)


def fresh(*arguments: Any, cwd: Path) -> Ended:
    """Run `danlu ARGUMENTS` in an interpreter of its own, as a user does."""
    began = time.monotonic()
    code = "import sys; from danlu.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
    return noted(Ended(done.returncode, done.stdout + done.stderr, time.monotonic() - began))


def environment() -> dict[str, str]:
    """The environment of every command: one thread, English, and this checkout first on the path."""
    paths = [str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    fixed = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "DANLU_LANG": "en", "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    return {**os.environ, **fixed}


# ---- what a run folder holds ----


def digest(state: Any) -> str:
    """SHA-256 over a state: parameters, buffers, optimiser, techniques, loss scale, and the position in data, schedule and random streams.

    (All of danlu's randomness is keyed by the seed and the step, so the step is the position of every stream.)
    """
    encoder, found = Encoder(), hashlib.sha256()
    found.update(json.dumps(encoder.encode(state), sort_keys=True).encode())
    for file, tensors in sorted(encoder.files.items()):
        for name, value in sorted(tensors.items()):
            found.update(f"{file}/{name} {value.dtype} {tuple(value.shape)}".encode())
            found.update(raw(value).numpy().tobytes())
    return found.hexdigest()


def final(folder: Path) -> str:
    """The digest of the newest checkpoint and of the exported weights."""
    newest, broken = checkpoint.newest_valid(folder / "checkpoints")
    assert newest is not None and not broken, f"{folder}: {broken}"
    weights = folder / "model.safetensors"
    return digest(checkpoint.read(newest)) + ":" + (hashlib.sha256(weights.read_bytes()).hexdigest() if weights.exists() else "-")


def outcome(folder: Path) -> tuple[str, list[dict[str, Any]], list[str]]:
    """All of a finished run that must be as in any other: state, log, and no rubbish."""
    return final(folder), logged(folder), rubbish(folder)


def logged(folder: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl without the clocks in them."""
    clocks = ("seconds", "rows_per_second")
    return [{key: value for key, value in line.items() if key not in clocks} for line in log.read(folder / "metrics.jsonl")]


def compare(found: tuple[Any, ...], reference: tuple[Any, ...]) -> str:
    """Which parts of two outcomes differ; empty when they are the same."""
    return ", ".join(what for what, a, b in zip(("state", "log", "rubbish"), found, reference, strict=True) if a != b)


def rubbish(folder: Path) -> list[str]:
    """What a crash left behind in a run folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.name.endswith((".tmp", ".old")))
