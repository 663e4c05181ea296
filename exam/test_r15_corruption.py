"""R15: flipped bits, cut ends, zeroed pages, exchanged and missing files in a checkpoint: each is found, and the one before is used.

A zeroed page that was zero before is no change and is not counted. bench/reliability.py does the same to torch.save and safetensors.
"""

from __future__ import annotations

import random
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from danlu.run import checkpoint
from exam import jobs
from exam.harness import compare, go_on, outcome, run, settle, size

PAGE = 4096


def damages(whole: bytes, draw: random.Random, flips: int, others: int) -> Iterator[tuple[str, bytes]]:
    """Each a kind and what is in the file afterwards."""
    for _ in range(flips):
        place = draw.randrange(8 * len(whole))
        changed = bytearray(whole)
        changed[place // 8] ^= 1 << place % 8
        yield "flips", bytes(changed)
    for _ in range(others):
        yield "cuts", whole[: draw.randrange(len(whole))]
    for _ in range(others):
        page = draw.randrange(0, len(whole), PAGE) // PAGE * PAGE
        length = min(PAGE, len(whole) - page)
        if any(whole[page : page + length]):
            yield "zero_pages", whole[:page] + bytes(length) + whole[page + length :]


@pytest.mark.slow
def test_damage_is_found(tmp_path: Path) -> None:
    recipe = jobs.write(tmp_path, "gpt", steps=12)
    first = run("train", recipe, "--out", "run", cwd=tmp_path, hook=("at_step", {"step": 10}))
    assert first.code == -signal.SIGKILL, first.text
    checkpoints = tmp_path / "run" / "checkpoints"
    before, newest = (checkpoints / f"step-{step}" for step in checkpoint.steps(checkpoints)[-2:])
    draw, failures, tried = random.Random(15), [], {}

    def look(kind: str, name: str) -> None:
        tried[kind] = tried.get(kind, 0) + 1
        chosen, reasons = checkpoint.newest_valid(checkpoints)
        if chosen != before or len(reasons) != 1 or "\n" in str(reasons[0]):
            failures.append(f"{kind} of {name}: {chosen}, {list(map(str, reasons))}")

    names = sorted(path.name for path in newest.iterdir())
    for name in names:
        path = newest / name
        whole = path.read_bytes()
        for kind, changed in damages(whole, draw, size(50, 300), size(10, 100)):
            path.write_bytes(changed)
            look(kind, name)
        path.unlink()
        look("deleted", name)
        path.write_bytes(whole)
    for turn in range(size(6, 20)):
        name = names[turn % len(names)]
        theirs, whole = (before / name).read_bytes(), (newest / name).read_bytes()
        if theirs != whole:  # metrics.json of two steps may be the same
            (newest / name).write_bytes(theirs)
            look("exchanged", name)
            (newest / name).write_bytes(whole)
    assert checkpoint.newest_valid(checkpoints) == (newest, [])
    failures += goes_on(tmp_path, recipe, newest, names)
    settle("R15", sum(tried.values()), failures, files=len(names), found=tried)


def goes_on(folder: Path, recipe: Path, newest: Path, names: list[str]) -> list[str]:
    """What is found is also acted on: a run whose newest checkpoint has one bit flipped, in each file once, ends as if nothing had been."""
    failures, reference = [], None
    for name in (None, *names[:: size(3, 1)]):
        copy = folder / f"copy-{name}"
        shutil.copytree(folder / "run", copy / "run")
        if name:
            path = copy / "run" / newest.relative_to(folder / "run") / name
            changed = bytearray(path.read_bytes())
            changed[len(changed) // 2] ^= 4
            path.write_bytes(changed)
        last = go_on(recipe, copy)
        if last.code != 0:
            failures.append(f"a bit of {name}: exit code {last.code}: {last.last}")
        elif reference is None:
            reference = outcome(copy / "run")
        elif other := compare(outcome(copy / "run"), reference):
            failures.append(f"a bit of {name}: another {other}")
    return failures
