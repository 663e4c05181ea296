"""R20: a data set that was cut at a random byte, or has a flipped bit, is refused before step 1 with file, expected and actual SHA-256.

Files of one's own have no digest to be held against. There: a cut table is refused with file and line, or was cut where that cannot be seen
(counted); and a run whose file was cut or changed is not gone on with, whatever the place.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from pathlib import Path

import pytest

from danlu.data.banking77 import FILES as BANKING
from danlu.data.california_housing import FILES as CALIFORNIA
from danlu.data.corpora import SHAKESPEARE_FILES as SHAKESPEARE
from danlu.data.mnist import MNIST_TEST_FILES
from exam.files import error, inside, unclear
from exam.harness import need_data, settle, size

SETS = {
    "tinyshakespeare": (SHAKESPEARE, ("tinyshakespeare",)),
    "california_housing": (CALIFORNIA, ("california-housing",)),
    "banking77": (BANKING, ("banking77",)),
    "mnist_test10k": (MNIST_TEST_FILES, ("digits", "data=mnist(subset=true)", "model=mlp")),
}
ROWS = 400


@pytest.mark.slow
def test_named_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = need_data(*SETS)
    draw, failures, kinds = random.Random(20), [], {"cut": 0, "flipped": 0, "flipped, same time": 0}
    trials = size(12, 200)
    monkeypatch.setenv("DANLU_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for number in range(trials):
        name = there[0][number % len(there[0])]
        files, words = SETS[name]
        file, kind = draw.choice(sorted(files)), list(kinds)[number % 3]
        shutil.copytree(there[1] / name, tmp_path / "data" / name, dirs_exist_ok=True)
        path = tmp_path / "data" / name / file
        before, content = path.stat(), bytearray(path.read_bytes())
        at = draw.randrange(len(content))
        if kind == "cut":
            del content[at:]
        else:
            content[at] ^= 1 << draw.randrange(8)
        path.write_bytes(content)
        if kind == "flipped, same time":
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        kinds[kind] += 1
        ended = inside("train", *words, "steps=1", "--out", "run", "--json", cwd=tmp_path)
        found = hashlib.sha256(content).hexdigest()
        if wrong := unclear(ended, str(path), files[file], found):
            failures.append(f"{name}, {kind} at {at}: {wrong}")
        elif (tmp_path / "run").exists():
            failures.append(f"{name}, {kind}: a run was begun")
    settle("R20", trials, failures, **{kind.replace(", ", "_"): count for kind, count in kinds.items()}, sets=len(there[0]))


def table(rows: int) -> bytes:
    draw = random.Random(7)
    lines = [f"{draw.random():.6f},{draw.random():.6f},{'yes' if draw.random() > 0.5 else 'no'}" for _ in range(rows)]
    return ("a,b,y\n" + "\n".join(lines) + "\n").encode()


@pytest.mark.slow
def test_own_files(tmp_path: Path) -> None:
    """Cut before the start, and cut between the start and going on."""
    draw, failures, unseen, trials = random.Random(21), [], 0, size(20, 100)
    content, begun = table(ROWS), tmp_path / "begun"
    begun.mkdir()
    (begun / "a.csv").write_bytes(content)
    words = ("tabular", f"data.path={begun / 'a.csv'}", "data.target=y", "steps=4", "schedule=null")
    assert inside("train", *words, "--out", "run", "--quiet", cwd=begun).code == 0
    for number in range(trials):
        here = tmp_path / str(number)
        here.mkdir()
        at = draw.randrange(len(content))
        (here / "a.csv").write_bytes(content[:at])
        looked = inside("look", f"data.path={here / 'a.csv'}", "data.target=y", "--json", cwd=here)
        whole_rows = content[:at].rpartition(b"\n")[2].count(b",") == 2 or content[:at].endswith(b"\n")
        if looked.code == 0 and whole_rows:
            unseen += 1
        elif wrong := unclear(looked, "a.csv"):
            failures.append(f"cut at {at}: {wrong}")
        elif b"line" not in looked.text.encode() and at > 10:
            failures.append(f"cut at {at}: no line: {looked.text[-200:]}")
        (begun / "a.csv").write_bytes(content[:at] if number % 2 else content[:at] + b"9" + content[at + 1 :])
        if number % 2 == 0 and content[at : at + 1] == b"9":
            continue
        again = inside("resume", "run", "--json", cwd=begun)
        if again.code != 2 or error(again).get("code") != 2:
            failures.append(f"gone on with after {'a cut' if number % 2 else 'a change'} at {at}: {again.code}: {again.text[-200:]}")
    (begun / "a.csv").write_bytes(content)
    if inside("resume", "run", cwd=begun).code != 0:
        failures.append("not gone on with although the file is as it was")
    settle("R20", trials, failures, own_table_cut_where_it_cannot_be_seen=unseen, of=trials)
