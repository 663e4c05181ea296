"""Run a lesson in a process of its own: one thread, its CPU time and memory counted, without a network where that is asked for.

    python -m danlu.learn.measure FOLDER OUT SEEDS [offline]

writes OUT/results.json, the figures, and OUT/cost.json.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from danlu import messages
from danlu.errors import BadInput, Trouble, language, say
from danlu.learn import lesson as lessons
from danlu.learn.lesson import Lesson

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

SEEDS = 5
CPU_SECONDS = 45  # of a lesson with SEEDS seeds
BYTES = 1 << 30
WALL_SECONDS = 600  # a kill switch; machines are shared


@dataclass(frozen=True)
class Cost:
    """cpu_seconds of the process and its children; peak_bytes of the process (None where the system does not say)."""

    cpu_seconds: float
    peak_bytes: int | None


def run(lesson: Lesson, out: Path, seeds: int = SEEDS, offline: bool = False) -> Cost:
    """Measure a lesson into the folder `out`. Raises BadInput when it does not run to its end."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    environment = {**os.environ, **threads, "DANLU_LANG": language()}
    command = [sys.executable, "-m", "danlu.learn.measure", str(lesson.folder), str(out), str(seeds), *(["offline"] if offline else [])]
    try:
        done = subprocess.run(command, env=environment, check=False, timeout=WALL_SECONDS * max(1, seeds / SEEDS))
    except subprocess.TimeoutExpired as error:
        raise BadInput(messages.LEARN_TOO_LONG, id=lesson.id, seconds=error.timeout) from error
    if done.returncode:
        raise BadInput(messages.LEARN_DID_NOT_RUN, id=lesson.id, code=done.returncode)
    return Cost(**json.loads((out / "cost.json").read_text("utf-8")))


def measure(lesson: Lesson, out: Path, seeds: int) -> None:
    """Run it here: `measure(seeds)` of lesson.py gives values and tables, the claims are judged, `pictures(results, out)` draws."""
    import torch

    from danlu.describe import user_file
    from danlu.find import computing
    from danlu.study.results import Results

    torch.set_num_threads(1)
    claims = tuple(lesson.claims.values())  # read first: a mistake in them is not found after minutes of measuring
    values, tables = user_file.load(f"{lesson.code}:measure")(range(seeds))
    with_what = {"torch": torch.__version__.partition("+")[0], "matplotlib": metadata.version("matplotlib")}
    tables = {**tables, "lesson": {"seeds": seeds, "computing": computing.digest(lesson.code), **with_what}}
    cost = _cost()
    results = Results.of(
        lesson.id,
        values,
        inputs=lesson.own_files,
        claims=claims,
        tables=tables,
        cpu_seconds=round(cost.cpu_seconds, 1),
    )
    results.write(out / "results.json")
    user_file.load(f"{lesson.code}:pictures")(Results.read(out / "results.json"), out)
    (out / "cost.json").write_text(json.dumps(vars(_cost())), "utf-8")


def _cost() -> Cost:
    if resource is None:
        return Cost(time.process_time(), None)
    child, own = resource.getrusage(resource.RUSAGE_CHILDREN), resource.getrusage(resource.RUSAGE_SELF)
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(time.process_time() + child.ru_utime + child.ru_stime, _own_peak() or own.ru_maxrss * unit)


def _own_peak() -> int | None:
    """The most bytes this program had in memory, where the system says so: `ru_maxrss` of Linux begins with what the parent had."""
    try:
        text = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    found = re.search(r"^VmHWM:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def cut_off() -> None:
    """From here on this process reaches no other machine."""
    import socket

    connect, look_up = socket.socket.connect, socket.getaddrinfo
    near = {"localhost", "127.0.0.1", "::1", "", None, socket.gethostname()}

    def near_only(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in near:
            raise OSError(say(messages.LEARN_OFFLINE))
        connect(self, address)

    def named(host: Any, *args: Any, **keywords: Any) -> Any:
        if host not in near:
            raise OSError(say(messages.LEARN_OFFLINE))
        return look_up(host, *args, **keywords)

    socket.socket.connect = near_only  # type: ignore[method-assign, assignment]
    socket.getaddrinfo = named  # type: ignore[assignment]


def main(arguments: list[str]) -> int:
    folder, out, seeds, *rest = arguments
    if "offline" in rest:
        cut_off()
    try:
        measure(lessons.read(Path(folder)), Path(out), int(seeds))
    except Trouble as trouble:
        print(f"danlu: {trouble}", file=sys.stderr)
        return trouble.code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
