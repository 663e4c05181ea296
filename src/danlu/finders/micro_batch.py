"""The largest micro-batch that fits in memory, found by trying: whole steps, the optimiser's state included, on a copy of the run.

An accelerator says when its memory ends (torch.OutOfMemoryError). A CPU does not: there the system kills. So what each trial took is
measured against what was free before, and a trial is only made where the line through the two before it says that it fits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from danlu.core import Batch, Run
from danlu.cost import step_cost
from danlu.placement.memory import out_of_memory, release

SPARE = 0.9  # of the free memory may be taken: other programs live here, too


@dataclass(frozen=True)
class Fit:
    """What was found. rows: the largest micro-batch that fits, 0 if none does; whole: it is all that was asked for, more was not tried.

    taken: bytes that a step of so many rows took; free: that it may take. (Both None where the device itself says when there are no more.)
    """

    rows: int
    whole: bool
    taken: int | None
    free: int | None


def largest(run: Run, most: int, free: int | None = None) -> Fit:
    """The largest micro-batch of at most `most` rows, to within a sixteenth. The run itself is left as it was.

    free: bytes that may be taken, instead of what a CPU's machine has free now. (On an accelerator, by what danlu counts of a step.)
    """
    limit, on_cpu = free, run.placement.device.type == "cpu"
    if limit is None and on_cpu and (found := free_bytes()) is not None:
        limit = int(SPARE * found)
    took: dict[int, int] = {}
    with run.fork(validate=False) as trial:
        before = resident() if on_cpu else None

        def fits(rows: int) -> bool:
            if limit is not None and _foretold(took, rows) > limit:
                return False
            try:
                peak = peak_of(lambda: _step(trial, rows))
                if limit is not None:  # the peak misses what the allocator had kept from before, the count what kernels take for a moment
                    took[rows] = max(step_cost(trial, rows_of(trial, rows))[1]["total"], peak - before if peak and before else 0)
            except (MemoryError, RuntimeError) as error:
                if not out_of_memory(error):
                    raise
                full = True
            else:
                full = limit is not None and took[rows] > limit
            for p in trial.trainable():
                p.grad = None
            if full:  # outside of the clause, so that the error, and with it what the step held, is gone
                release(trial.placement.device)
            return not full

        rows = search(fits, max(2, run.plan.at_once // 4), most)
    return Fit(rows, rows == most, took.get(rows), limit)


def search(fits: Callable[[int], bool], first: int, most: int) -> int:
    """The largest number up to `most` that fits, to within a sixteenth, or 0: doubled from `first` on, then halved between."""
    good, bad = 0, most + 1
    while good < most:
        tried = min(2 * good or first, most)
        if not fits(tried):
            bad = tried
            break
        good = tried
    while bad - good > max(1, good // 16):
        middle = (good + bad) // 2
        good, bad = (middle, bad) if fits(middle) else (good, middle)
    return good


def rows_of(run: Run, rows: int) -> Batch:
    """The first train rows as one micro-batch; from the beginning again where there are not so many."""
    ids = torch.arange(rows) % len(run.data.train)
    inputs, targets = run.data.train.fetch(ids, 0)
    put = run.placement.put
    batch: Batch = Batch(put(inputs), put(targets), ids.to(run.placement.device), run.step)
    batch.counts = {"rows": rows, "once": 1.0, **run.criterion.counts(batch)}
    return batch


def free_bytes() -> int | None:
    """Memory that this machine, and the control group that holds this process, still give; None where the system does not say."""
    found = [value for value in (_kilobytes(Path("/proc/meminfo"), "MemAvailable"), _group()) if value is not None]
    return min(found) if found else None


def resident() -> int | None:
    """Bytes of this process in memory, where the system says so."""
    return _kilobytes(Path("/proc/self/status"), "VmRSS")


def peak_of(work: Callable[[], None]) -> int | None:
    """The most bytes that this process had in memory while `work` ran; None where the system does not say (it is Linux that does)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        work()
        return None
    work()
    return _kilobytes(Path("/proc/self/status"), "VmHWM")


def _step(run: Run, rows: int) -> None:
    batch = rows_of(run, rows)
    run.placement.begin()
    run.update(lambda: run.gradient(run.objective, [batch]))


def _foretold(took: dict[int, int], rows: int) -> float:
    """The line through the two largest trials, at `rows`; it never falls."""
    if len(took) < 2:
        return 0.0
    (a, first), (b, second) = sorted(took.items())[-2:]
    return second + max(0, second - first) / (b - a) * (rows - b)


def _kilobytes(path: Path, field: str) -> int | None:
    try:
        line = next(line for line in path.read_text().splitlines() if line.startswith(field + ":"))
    except (OSError, StopIteration):
        return None
    return int(line.split()[1]) * 1024


def _group(folder: Path = Path("/sys/fs/cgroup")) -> int | None:
    """The room under a control group's limit (version 2, or 1), where one is set."""
    for limit, used in (("memory.max", "memory.current"), ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes")):
        try:
            words = [(folder / name).read_text().strip() for name in (limit, used)]
        except OSError:
            continue
        return max(0, int(words[0]) - int(words[1])) if words[0].isdigit() and int(words[0]) < 1 << 60 else None
    return None
