"""R14: a full disk, an I/O error at any call, a folder that becomes read-only: never a false "saved", and what was saved stays whole.

The message names the bytes needed and free; nothing of the failed save stays; the next one works when there is room again.
"""

from __future__ import annotations

import itertools
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from danlu.errors import NO_SPACE
from danlu.run import checkpoint, log
from exam import jobs
from exam.harness import Ended, compare, exam_only, go_on, need, outcome, rubbish, run, settle, start
from exam.hooks import SAVED
from exam.trace import stopped, traced

NEEDED = re.compile(r"needs ([\d,]+) bytes and ([\d,]+) are free")


@contextmanager
def disk(path: Path, size: int) -> Iterator[Path]:
    """A file system of `size` bytes, mounted at `path` (root only)."""
    path.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)], capture_output=True, text=True)
    if made.returncode:
        pytest.fail(f"cannot mount a small disk: {made.stderr}")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


LARGE = {  # checkpoints of more than a megabyte, beside which logs are small
    "mlp": {"mlp": {"hidden": [256, 256], "dropout": 0.1}},
    "gpt": {"gpt": {"width": 64, "depth": 2, "heads": 4, "dropout": 0.1}},
    "cnn": {"cnn": {"widths": [32, 256], "dropout": 0.1}},
}


def checkpoint_step(folder: Path) -> int:
    return int(folder.name.removeprefix("step-"))


def wrong(folder: Path, ended: Ended, newest: int, words: str, background: bool = False) -> str:
    """What is not as it must be after the save that follows on step `newest` failed; empty when all is well."""
    whole, broken = checkpoint.newest_valid(folder / "run" / "checkpoints")
    told = [event["step"] for event in log.read(folder / "run" / "events.jsonl") if event["event"] == "checkpoint"]
    if ended.code != NO_SPACE or words not in ended.last:
        return f"exit code {ended.code}: {ended.text[-400:]}"
    under_way = background and whole is not None and checkpoint_step(whole) >= max(told)  # the save before had not ended
    if whole is None or (whole.name not in (f"step-{newest}", "step-12") and not under_way) or broken:
        return f"the newest whole one is {whole}, broken: {list(map(str, broken))}"
    if max(told) > newest and not (folder / "run" / "checkpoints" / f"step-{max(told)}").exists():
        return f"step {max(told)} was told to be saved"
    return ""


def begun(folder: Path, name: str = "mlp") -> Path:
    """A run of 16 steps that was killed in step 10, with steps 4 and 8 saved; the path of its recipe."""
    recipe = jobs.write(folder, name, steps=16)
    first = run("train", recipe, "--out", "run", cwd=folder, hook=("at_step", {"step": 10}))
    assert first.code == -signal.SIGKILL, first.text
    return recipe


@exam_only
@pytest.mark.slow
def test_a_call_that_fails(tmp_path: Path) -> None:
    """The k-th write, sync, open, rename of a save fails, for every k."""
    need("strace")
    origin, whole = tmp_path / "origin", tmp_path / "whole"
    origin.mkdir()
    recipe = begun(origin)
    shutil.copytree(origin, whole)
    assert run("resume", "run", cwd=whole).code == 0
    reference, failures, counts = outcome(whole / "run"), [], {}
    for call, error, words in (
        ("write", "ENOSPC", "bytes and"),
        ("write", "EIO", "Input/output error"),
        ("fsync", "EIO", "Input/output error"),
        ("fsync", "ENOSPC", "bytes and"),
        ("openat", "EROFS", "Read-only file system"),
        ("rename", "EIO", "Input/output error"),
        ("mkdir", "ENOSPC", "bytes and"),
    ):
        for k in itertools.count(1):
            folder = tmp_path / f"{call}-{error}-{k}"
            shutil.copytree(origin, folder)
            hook = ("around_save", {"step": 12})
            ended = traced("resume", "run", cwd=folder, hook=hook, inject=f"{call}:error={error}:when={k}")
            if f"{error} " not in (folder / "trace").read_text():  # there is no k-th one
                break
            counts[f"{call} {error}"] = counts.get(f"{call} {error}", 0) + 1
            # what comes after the rename that makes a checkpoint (pruning, the log of events) may fail and is no failed save
            failed = "" if ended.code == SAVED else wrong(folder, ended, 8, words)
            if failed:
                failures.append(f"{folder}: {failed}")
            elif (last := go_on(folder / recipe.name, folder)).code != 0:
                failures.append(f"{folder}: went on with exit code {last.code}: {last.last}")
            elif other := compare(outcome(folder / "run"), reference):
                failures.append(f"{folder}: another {other}")
            else:
                shutil.rmtree(folder)
    settle("R14", sum(counts.values()), failures, calls_failed=counts)


@exam_only
@pytest.mark.slow
def test_a_full_disk(tmp_path: Path) -> None:
    """A disk that holds one and a half checkpoints; it is filled by a stranger's file in one trial, made larger after each."""
    need("mount", "umount")
    failures, trials = [], 0
    for name in jobs.NAMES:
        whole = tmp_path / f"{name}-whole"
        whole.mkdir()
        assert run("train", jobs.write(whole, name, steps=16, model=LARGE[name]), "--out", "run", cwd=whole).code == 0
        reference = outcome(whole / "run")
        one = sum(path.stat().st_size for path in (whole / "run" / "checkpoints" / "step-16").iterdir())
        for background in (False, True):
            trials += 1
            with disk(tmp_path / f"{name}-{background}", int(1.5 * one) + 150_000) as folder:  # and room for logs and recipe
                recipe = jobs.write(folder, name, steps=16, background=background, model=LARGE[name])
                ended = run("train", recipe, "--out", "run", cwd=folder)
                said = NEEDED.search(ended.last)
                if failed := wrong(folder, ended, 4, "bytes and"):
                    failures.append(f"{folder}: {failed}")
                elif not said or not 0.9 * one < int(said[1].replace(",", "")) < 1.1 * one or int(said[2].replace(",", "")) >= one:
                    failures.append(f"{folder}: a checkpoint has {one} bytes; {ended.last}")
                elif left := rubbish(folder / "run"):
                    failures.append(f"{folder}: left {left}")
                subprocess.run(["mount", "-o", f"remount,size={8 * one + 4_000_000}", str(folder)], check=True)
                last = go_on(recipe, folder)
                if last.code != 0:
                    failures.append(f"{folder}: went on with exit code {last.code}: {last.last}")
                elif other := compare(outcome(folder / "run"), reference):
                    failures.append(f"{folder}: another {other}")
    settle("R14", trials, failures, full_disks=trials)


@exam_only
@pytest.mark.slow
def test_a_folder_that_becomes_read_only(tmp_path: Path) -> None:
    """chmod in the middle of the run, just before a save."""
    failures, trials = [], 0
    for name in jobs.NAMES:
        for background in (False, True):
            trials += 1
            folder = tmp_path / f"{name}-{background}"
            folder.mkdir()
            recipe = jobs.write(folder, name, steps=16, background=background)
            checkpoints = folder / "run" / "checkpoints"
            ended = paused("train", recipe, "--out", "run", cwd=folder, then=lambda: checkpoints.chmod(0o500))  # noqa: B023 (called at once)
            if failed := wrong(folder, ended, 8, "Permission denied", background):
                failures.append(f"{folder}: {failed}")
            checkpoints.chmod(0o700)
            last = go_on(recipe, folder)
            if last.code != 0 or rubbish(folder / "run"):
                failures.append(f"{folder}: went on with exit code {last.code}: {last.last}")
    settle("R14", trials, failures, read_only_folders=trials)


def paused(*arguments: Any, cwd: Path, then: Callable[[], None]) -> Ended:
    """Run a command as somebody whom the modes of files bind, stop it just before it saves step 12, do something, and let it go on."""
    command = start(*arguments, cwd=cwd, hook=("bound_by_modes", {"step": 12}))
    stopped(command)
    then()
    command.send(signal.SIGCONT)
    return command.wait()
