"""What saving 100 million parameters with Adam's state costs, beside a bare write and sync of the same bytes: 1.2 GB.

Each arm writes into a new folder, after what the arm before left was deleted and all of it had reached the disk. Ratios are by round; the
bare write is there twice, and how far it strays from itself says what the others are worth. For saves in the background, the seconds for
which the training is held up, a gigabyte, beside a copy of the bytes; the first may have to ask the system for memory.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from measure import ratio, verdict

from danlu.run import checkpoint
from danlu.run.save import Saver
from danlu.techniques.reports.checkpoint import Checkpoint

SHAPES = [(32000, 512), *[(2048, 512), (512, 2048), *[(512, 512)] * 4, (512,)] * 26, (512,)]  # 98 million parameters
CHUNK = 1 << 24
BOUND = 1.6
REACH = f"durable with digests at most {BOUND} of the bare write; beside the training at most 0.15 s a GB"


def state() -> dict[str, Any]:
    model = {f"layers.{k}.weight": torch.randn(shape) for k, shape in enumerate(SHAPES)}
    adam = {name: {"step": torch.ones(()), "exp_avg": torch.randn_like(p), "exp_avg_sq": torch.rand_like(p)} for name, p in model.items()}
    return {"step": 1, "model": model, "optimizer": {"state": adam, "groups": [{"lr": 1e-3}]}}


def arms(folder: Path, made: dict[str, Any]) -> dict[str, Callable[[], None]]:
    """Each saves `made` into `folder`, and is durable when it returns."""
    import torch.distributed.checkpoint as dcp
    from safetensors.torch import save_file

    tensors = {f"{file}/{name}": value for file, ts in checkpoint.image(made).files.items() for name, value in ts.items()}

    def bare() -> None:
        handle = os.open(folder / "bare", os.O_CREAT | os.O_WRONLY)
        for value in tensors.values():
            view = memoryview(value.reshape(-1).view(torch.uint8).numpy())
            while len(view):
                view = view[os.write(handle, view[:CHUNK]) :]
        os.fsync(handle)
        os.close(handle)

    def synced(path: Path) -> None:
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)

    def own() -> None:
        checkpoint.write(checkpoint.image(made), folder / "checkpoints", 1)

    def plain() -> None:
        save_file(tensors, folder / "plain.safetensors")
        synced(folder / "plain.safetensors")

    def pickled() -> None:
        torch.save(made, folder / "torch.pt")
        synced(folder / "torch.pt")

    def distributed() -> None:
        dcp.save({"state": tensors}, checkpoint_id=folder / "dcp")  # it syncs its files

    return {"bare": bare, "bare again": bare, "danlu": own, "safetensors": plain, "torch.save": pickled, "DCP": distributed}


def fresh(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    os.sync()


def table(folder: Path, rounds: int) -> str:
    """Markdown: a row for each way to save, in the foreground and beside the training."""
    made, folder = state(), folder / "saving"
    needed = checkpoint.image(made).needed
    load = [_load()]
    ways, order = arms(folder, made), random.Random(0)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for turn in range(-1, rounds):
        for name in order.sample(list(ways), len(ways)):
            fresh(folder)
            found = clocked(ways[name], time.process_time)
            if turn >= 0:
                times[name].append(found)
    wall = {name: [seconds for seconds, _ in found] for name, found in times.items()}
    head = "s: min, median, max | ratio to the bare write: median [95 %] | processor's s: median"
    lines = [f"| {needed / 1e9:.2f} GB, {rounds} rounds | {head} |", "|---|---|---|---|"]
    for name, found in times.items():
        spent = statistics.median(cpu for _, cpu in found)
        lines.append(f"| {name} | {spread(wall[name], 2)} | {ratio(wall[name], wall['bare'])} | {spent:.2f} |")
    bound = verdict(ratio(wall["danlu"], wall["bare"]), ratio(wall["bare again"], wall["bare"]), BOUND)
    lines += ["", f"danlu beside the bare write, less what that strays from itself: {bound}.", ""]
    lines += background(folder, made, needed, rounds)
    shutil.rmtree(folder)
    load.append(_load())
    lines += ["", f"Threads that wanted one of {os.cpu_count()} cores: {load[0]} before, {load[1]} at the end, up to 6 of them its own."]
    return "\n".join(lines)


def background(folder: Path, made: dict[str, Any], needed: int, rounds: int) -> list[str]:
    """Seconds a gigabyte for which a save in the background holds up the training."""
    import torch.distributed.checkpoint as dcp

    run = SimpleNamespace(state=lambda: made, techniques=(Checkpoint(background=True),))
    fresh(folder)
    saver = Saver(run, folder / "checkpoints", lambda step, best: None)  # type: ignore[arg-type]
    room = checkpoint.image(made).copied()
    blocked: dict[str, list[tuple[float, float]]] = {"a copy, and nothing else": [], "danlu": [], "DCP, async_save": []}
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/group", rank=0, world_size=1)
    try:
        saver.check()  # as after the first step of a training
        saver._room.result()  # type: ignore[union-attr]
        for turn in range(rounds + 1):
            blocked["a copy, and nothing else"].append(clocked(lambda: checkpoint.image(made).copied(room.files), time.thread_time))
            blocked["danlu"].append(clocked(partial(saver.save, turn, False, {}), time.thread_time))
            saver.wait()
            began, spent = time.perf_counter(), time.thread_time()
            future: Any = dcp.async_save({"state": made}, checkpoint_id=folder / f"dcp-{turn}")
            blocked["DCP, async_save"].append((time.perf_counter() - began, time.thread_time() - spent))
            future.result()
            shutil.rmtree(folder / f"dcp-{turn}")
    finally:
        torch.distributed.destroy_process_group()
        saver.close()
    lines = ["| training waits, s a GB | first | others: min, median, max | processor's: first | others: median |", "|---|---|---|---|---|"]
    for name, found in blocked.items():
        (first, *others), (cpu, *cpus) = ([each[k] / needed * 1e9 for each in found] for k in (0, 1))
        lines.append(f"| {name} | {first:.3f} | {spread(others, 3)} | {cpu:.3f} | {statistics.median(cpus):.3f} |")
    return lines


def clocked(do: Callable[[], object], processor: Callable[[], float]) -> tuple[float, float]:
    """Seconds, and the processor's, that it takes."""
    began, spent = time.perf_counter(), processor()
    do()
    return time.perf_counter() - began, processor() - spent


def spread(found: list[float], digits: int) -> str:
    return ", ".join(f"{f(found):.{digits}f}" for f in (min, statistics.median, max))


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "not known"
