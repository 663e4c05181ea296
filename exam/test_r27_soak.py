"""R27: 20,000 steps, 200 saves, 4 evaluations: memory grows by less than 1 MB in 1,000 steps, open files do not, nothing is left behind.

Nothing: in /dev/shm and among the temporary files, after the end and after a kill, with data workers too. (But for the empty folder
`torchinductor_<user>`, which torch makes once for each user when a torch.optim.Optimizer is made, with or without danlu.)
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exam import jobs
from exam.files import DANLU
from exam.harness import environment, need_linux, settle, size

SETTLED = 0.25  # of the steps, after which memory is looked at


def begin(folder: Path, steps: int, workers: int, every: int, kill: int = 0) -> tuple[subprocess.Popen[bytes], Path, Path]:
    """A training in a process of its own, with folders of its own for temporary files and for the cache."""
    folder.mkdir()
    temporary = folder / "temporary"
    temporary.mkdir()
    recipe = jobs.write(folder, "mlp", steps=steps, every=every, workers=workers, validate={"every": steps // 4})
    own = {**environment(), "TMPDIR": str(temporary), "XDG_CACHE_HOME": str(folder / "cache")}
    with (folder / "log").open("wb") as log:
        command = [sys.executable, *DANLU, "train", str(recipe), "--out", "run"]
        process = subprocess.Popen(command, cwd=folder, env=own, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    return process, temporary, folder / "run" / "metrics.jsonl"


def step_of(metrics: Path) -> int:
    try:
        lines = metrics.read_bytes()[-4000:].rpartition(b"\n")[0].rpartition(b"\n")[2]
        return int(json.loads(lines)["step"])
    except (OSError, ValueError):
        return 0


def held(pid: int) -> tuple[float, int]:
    """Resident memory in MB, and open files."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, len(os.listdir(f"/proc/{pid}/fd"))


def tree_of(pid: int) -> set[int]:
    found = {pid}
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in thread.read_text().split():
            found |= tree_of(int(child))
    return found


def in_folder(temporary: Path) -> list[str]:
    """What is left among the temporary files, without torch's empty folder."""
    return [path.name for path in temporary.iterdir() if not path.name.startswith("torchinductor_") or any(path.iterdir())]


def shared(pids: set[int]) -> list[str]:
    """What these processes have in /dev/shm: torch and Python write the number of the process into the name."""
    return [name for name in os.listdir("/dev/shm") if any(f"_{pid}_" in name or f"-{pid}-" in name for pid in pids)]


def soaked(folder: Path, steps: int, saves: int, workers: int) -> tuple[list[str], dict[str, Any]]:
    process, temporary, metrics = begin(folder, steps, workers, steps // saves)
    points: list[tuple[int, float, int]] = []
    pids: set[int] = set()
    while process.poll() is None:
        if (step := step_of(metrics)) and step < 0.97 * steps:  # the test and the report at the end take their own
            try:
                points.append((step, *held(process.pid)))
                pids |= tree_of(process.pid)
            except OSError:
                break
        time.sleep(0.1)
    code = process.wait()
    kept = [(step, memory, files) for step, memory, files in points if step >= SETTLED * steps]
    failures = [] if code == 0 else [f"exit code {code}: {(folder / 'log').read_text()[-300:]}"]
    if len(kept) < 10:
        return [*failures, f"{len(kept)} looks at it only"], {}
    at, memory, files = (np.array(column, float) for column in zip(*kept))
    slope = float(np.polyfit(at / 1000, memory, 1)[0])
    events = [json.loads(line) for line in (folder / "run" / "events.jsonl").read_text().splitlines()]
    made = sum(event["event"] == "checkpoint" for event in events)
    lines = [json.loads(line) for line in metrics.read_text().splitlines()]
    evaluated = sum("val_loss" in line for line in lines)
    if slope >= 1:
        failures.append(f"{slope:.2f} MB in 1,000 steps")
    # a save opens files while it goes on: what lasts is what most looks saw, in both halves
    halves = [float(np.median(part)) for part in np.array_split(files, 2)]
    if halves[0] != halves[1] or np.percentile(files, 95) > halves[0] + 4:
        failures.append(f"open files {halves}, {files.max():.0f} at most")
    if made < saves or evaluated < 4:
        failures.append(f"{made} saves, {evaluated} evaluations")
    if left := [*in_folder(temporary), *shared(pids | {process.pid})]:
        failures.append(f"left behind: {left}")
    if rubbish := [str(path) for path in (folder / "run").rglob("*.tmp")]:
        failures.append(f"left behind: {rubbish}")
    return failures, {"MB_in_1000_steps": slope, "open_files": halves[1], "saves": made, "evaluations": evaluated, "looks": len(kept)}


@pytest.mark.slow
def test_soak(tmp_path: Path) -> None:
    need_linux()
    steps = size(4000, 20_000)
    failures, figures = soaked(tmp_path / "a", steps, size(40, 200), workers=0)
    settle("R27", 1, failures, steps=steps, **figures)


@pytest.mark.slow
def test_nothing_is_left(tmp_path: Path) -> None:
    """After a kill of the process alone; its data workers find out by themselves."""
    need_linux()
    failures, trials = [], 0
    for workers in (0, 2):
        for turn in range(size(1, 5)):
            trials += 1
            folder = tmp_path / f"{workers}-{turn}"
            process, temporary, metrics = begin(folder, 100_000, workers, 50)
            end = time.monotonic() + 60
            while step_of(metrics) < 100 + 37 * turn and process.poll() is None and time.monotonic() < end:
                time.sleep(0.02)
            pids = tree_of(process.pid)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            end = time.monotonic() + 20
            while (alive := [pid for pid in pids if running(pid)]) and time.monotonic() < end:
                time.sleep(0.1)
            left = [*in_folder(temporary), *shared(pids)]
            if len(pids) != 1 + workers:
                failures.append(f"{folder}: {len(pids)} processes: {(folder / 'log').read_text()[-300:]}")
            if alive:
                failures.append(f"{folder}: {alive} of {pids} live on")
            if left:
                failures.append(f"{folder}: left behind: {left}")
    settle("R27", trials, failures, killed=trials)


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
