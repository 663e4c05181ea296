"""R11: a run is not gone on with in silence when its shape, vocabulary, data, batch size, rate or code changed: what differs is named.

Shape, vocabulary, data and batch size are refused; a rate and other code go on where a flag asks for it, and the record says so.
"""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from danlu.errors import BAD_INPUT
from exam import jobs
from exam.harness import exam_only, run, settle

TABLE = "a,b,label\n" + "".join(f"{k},{k * k % 97},{'yes' if k % 3 else 'no'}\n" for k in range(200))
TEXT = "".join(f"the cauldron is warm for the {k}th time and the fire is low.\n" for k in range(400))


def begun(folder: Path, name: str, **changes: Any) -> Path:
    """A folder with `my.yaml`, the job `name` with fields changed, and a run of it that was killed in step 10."""
    folder.mkdir()
    (folder / "table.csv").write_text(TABLE)
    (folder / "text.txt").write_text(TEXT)
    path = folder / "my.yaml"
    jobs.write(folder, name, steps=16).rename(path)
    change(path, changes)
    ended = run("train", "my.yaml", "--out", "run", cwd=folder, hook=("at_step", {"step": 10}))
    assert ended.code == -signal.SIGKILL, ended.text
    return folder


def change(path: Path, changes: dict[str, Any]) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text((folder / name).read_text().replace(old, new))


def held(folder: Path) -> dict[str, bytes]:
    """What a run is gone on with from. (Its logs say that it was refused, and end at the step of the newest checkpoint.)"""
    files = [folder / "run" / "recipe.json", folder / "run" / "record.json", *(folder / "run" / "checkpoints").rglob("*")]
    return {str(path): path.read_bytes() for path in files if path.is_file()}


TABULAR = {"model": {"tabular_net": {}}, "data": {"tabular": {"path": "table.csv", "target": "label"}}}
CHARACTERS = {"data": {"text_files": {"path": "text.txt", "level": "characters", "length": 16}}}
RECIPE = [  # name, job, its fields, the change, what must be named
    ("shape", "mlp", {}, {"model": {"mlp": {"hidden": [64, 32], "dropout": 0.1}}}, "hidden"),
    ("vocabulary", "gpt", {}, {"model": {"gpt": {"width": 64, "depth": 2, "heads": 4, "dropout": 0.1, "vocab_size": 64}}}, "vocab_size"),
    ("batch size", "mlp", {}, {"batch_size": 32}, "batch_size"),
    ("rate", "mlp", {}, {"optimizer": {"adamw": {"lr": 0.001}}}, "lr"),
    ("seed", "mlp", {}, {"seed": 2}, "seed"),
    ("data set", "cnn", {}, {"data": {f"{jobs.__file__}:Pictures": {"workers": 0, "seed": 5}}}, "seed"),
]
BEHIND = [  # the recipe is the same, what it names is not
    ("a value of a table", "mlp", TABULAR, edit("table.csv", "\n6,36,", "\n6,37,"), "fingerprint"),
    ("a row more", "mlp", TABULAR, edit("table.csv", "\n6,36,", "\n500,0,no\n6,36,"), "rows"),
    ("letters of a text", "gpt", CHARACTERS, edit("text.txt", "the 7th", "the 9th"), "fingerprint"),
]


@exam_only
@pytest.mark.slow
def test_what_changed_is_named(tmp_path: Path) -> None:
    failures = []
    for title, name, fields, changes, word in RECIPE:
        folder = begun(tmp_path / title.replace(" ", "-"), name, **fields)
        change(folder / "my.yaml", changes)
        failures += refused(title, folder, word, "train", "my.yaml", "--out", "run")
    for title, name, fields, edited, word in BEHIND:
        folder = begun(tmp_path / title.replace(" ", "-"), name, **fields)
        edited(folder)
        failures += refused(title, folder, word, "resume", "run")
    folder = begun(tmp_path / "asked-for", "mlp")
    other = ("other_danlu", {})
    failures += refused("code", folder, "danlu", "resume", "run", hook=other)
    for title, words, hook, recorded in (
        ("a rate that is asked for", ("--lr", "0.001"), None, "lr"),
        ("code that is accepted", ("--accept", "code"), other, "danlu"),
    ):
        copy = tmp_path / title.replace(" ", "-")
        shutil.copytree(folder, copy)
        ended = run("resume", "run", *words, cwd=copy, hook=hook)
        attempt = json.loads((copy / "run" / "record.json").read_text())["attempts"][-1]
        if ended.code != 0 or not any(recorded in line for line in attempt.get("changed", ())):
            failures.append(f"{title}: exit code {ended.code}, recorded {attempt.get('changed')}: {ended.last}")
    settle("R11", len(RECIPE) + len(BEHIND) + 3, failures)


def refused(title: str, folder: Path, word: str, *command: str, hook: Any = None) -> list[str]:
    before = held(folder)
    ended = run(*command, cwd=folder, hook=hook)
    lines = [line for line in ended.text.splitlines() if word in line and "->" in line]
    if ended.code != BAD_INPUT or not lines or held(folder) != before:
        return [f"{title}: exit code {ended.code}, changed folder: {held(folder) != before}: {ended.text[-400:]}"]
    return []
