"""R24: data that was changed before a run goes on is detected by its fingerprint and refused; data changed meanwhile changes nothing.

What danlu reads (tables, texts, images) it reads once, at the start, so a run ends with the bits of a run whose files nobody touched. Rows
that a user's class fetches are told apart by what all of them hold, or, where only a fetch shows them, by their number and 64 of them.
"""

from __future__ import annotations

import json
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from exam.files import error, unclear
from exam.harness import compare, outcome, run, settle, size, start
from exam.test_r20_rotten_data import table
from exam.test_r21_ugly_text import prose
from exam.trace import stopped

OWN = """
import numpy, torch
from danlu.data.source import Data, Facts, Tensors

class Lazy:
    def __init__(self, x, y):
        self.x, self.y = x, y
    def __len__(self):
        return len(self.x)
    def fetch(self, ids, draw):
        return self.x[ids], self.y[ids]

def rows(lazy=False):
    x = torch.from_numpy(numpy.loadtxt("own.txt", dtype="float32"))
    return Data((Lazy if lazy else Tensors)(x, (x[:, 0] > 0).long()), Facts("classify", (3,), 2))
"""


def a_table(here: Path) -> tuple[str, ...]:
    (here / "a.csv").write_bytes(table(200))
    return "tabular", "data.path=a.csv", "data.target=y"


def texts(here: Path) -> tuple[str, ...]:
    (here / "texts").mkdir()
    for number in range(3):
        (here / "texts" / f"{number}.txt").write_text(prose(number, 200), "utf-8")
    return "text", "data.path=texts", "data.length=32", "model.width=16", "model.depth=1", "model.heads=2"


def images(here: Path) -> tuple[str, ...]:
    draw = np.random.default_rng(1)
    for label in ("cat", "dog"):
        (here / "images" / label).mkdir(parents=True)
        for number in range(30):
            Image.fromarray(draw.integers(0, 256, (16, 16, 3), np.uint8)).save(here / "images" / label / f"{number}.png")
    return "images", "data.path=images", "batch_size=16"


def own(here: Path, lazy: bool = False) -> tuple[str, ...]:
    (here / "own.py").write_text(OWN)
    np.savetxt(here / "own.txt", np.random.default_rng(2).normal(size=(60, 3)))
    recipe = {
        "model": "mlp",
        "data": {"own.py:rows": {"lazy": lazy}},
        "optimizer": "adamw",
        "epochs": 1,
        "batch_size": 16,
        "validate": None,
    }
    (here / "own.json").write_text(json.dumps(recipe))
    return ("own.json",)


def fetched(here: Path) -> tuple[str, ...]:
    return own(here, lazy=True)


def append(path: Path, draw: random.Random) -> None:
    if path.is_dir():
        file = draw.choice(sorted(file for file in path.rglob("*") if file.is_file()))
        if file.suffix == ".png":
            Image.new("RGB", (16, 16), (draw.randrange(256), 0, 0)).save(file.with_name("new.png"))
        else:
            file.with_name("new.txt").write_text(prose(99, 100), "utf-8")
    else:
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join([*lines, draw.choice(lines[1:])]))


def replace(path: Path, draw: random.Random) -> None:
    if path.is_dir():
        file = draw.choice(sorted(file for file in path.rglob("*") if file.is_file()))
        if file.suffix == ".png":
            Image.new("RGB", (16, 16), (draw.randrange(256), 0, 0)).save(file)
        else:
            file.write_text(file.read_text("utf-8").replace("furnace", "kettle"), "utf-8")
    else:
        lines = path.read_text().splitlines(keepends=True)
        at = draw.randrange(1, len(lines))
        other = ("9" if lines[at][0] != "9" else "8") + lines[at][1:]
        path.write_text("".join([*lines[:at], other, *lines[at + 1 :]]))


def remove(path: Path, draw: random.Random) -> None:
    if path.is_dir():
        draw.choice(sorted(file for file in path.rglob("*") if file.is_file())).unlink()
    else:
        lines = path.read_text().splitlines(keepends=True)
        del lines[draw.randrange(1, len(lines))]
        path.write_text("".join(lines))


def reorder(path: Path, draw: random.Random) -> None:
    if path.is_dir():
        some = sorted(file for file in path.rglob("*") if file.is_file())
        one = some[0]
        other = [file for file in some if file.parent == one.parent][-1]  # two neighbours may be of two parts, whose order stays
        one.rename(one.with_name("moved"))
        other.rename(one)
        one.with_name("moved").rename(other)
    else:
        lines = path.read_text().splitlines(keepends=True)
        at = draw.randrange(1, len(lines) - 1)
        lines[at], lines[at + 1] = lines[at + 1], lines[at]
        path.write_text("".join(lines))


KINDS: list[tuple[Callable[[Path], tuple[str, ...]], str]] = [
    (a_table, "a.csv"), (texts, "texts"), (images, "images"), (own, "own.txt"), (fetched, "own.txt"),
]  # fmt: skip
CHANGES = (append, replace, remove, reorder)
ENDS = ("steps=6", "schedule=null", "--out", "run", "--with", "checkpoint(every=2)")


def put_back(kept: Path, place: Path) -> None:
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    shutil.copytree(kept, place) if kept.is_dir() else shutil.copy(kept, place)


@pytest.mark.slow
def test_changed_data(tmp_path: Path) -> None:
    draw, failures, refused, during = random.Random(24), [], 0, 0
    for make, name in KINDS[:: size(3, 1)]:
        here = tmp_path / make.__name__
        here.mkdir()
        words, place, kept = make(here), here / name, tmp_path / f"kept-{make.__name__}"
        shutil.copytree(place, kept) if place.is_dir() else shutil.copy(place, kept)
        whole = run("train", *words, *ENDS, cwd=here)
        if whole.code != 0:
            failures.append(f"{make.__name__}: {whole.text[-300:]}")
            continue
        reference = outcome(here / "run")
        shutil.move(here / "run", here / "reference")
        for number, change in enumerate(CHANGES):
            what = f"{make.__name__}, {change.__name__}"
            before = start("train", *words, *ENDS, cwd=here, hook=("at_step", {"step": 5, "number": signal.SIGKILL}))
            before.wait()
            change(place, draw)
            again = run("resume", "run", "--json", cwd=here)
            refused += 1
            if wrong := unclear(again, "fingerprint"):
                failures.append(f"{what}: {wrong}")
            elif error(again).get("code") != 2:
                failures.append(f"{what}: no JSON")
            put_back(kept, place)
            if (last := run("resume", "run", cwd=here)).code != 0 or compare(outcome(here / "run"), reference):
                failures.append(f"{what}: put back: exit code {last.code}: {last.last}")
            shutil.rmtree(here / "run")
            if number < size(1, 4):
                during += 1
                command = start("train", *words, *ENDS, cwd=here, hook=("at_step", {"step": 5, "number": signal.SIGSTOP}))
                stopped(command)
                change(place, draw)
                command.send(signal.SIGCONT)
                if command.wait().code != 0 or compare(outcome(here / "run"), reference):
                    failures.append(f"{what} while it went on: another result")
                put_back(kept, place)
                shutil.rmtree(here / "run")
    settle("R24", refused + during, failures, changed_before_going_on=refused, changed_while_it_went_on=during)
