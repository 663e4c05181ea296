"""R22: no rows, fewer than a batch or a sequence, all filtered out: exit code 2 within 5 s, naming the file or the count."""

from __future__ import annotations

from pathlib import Path

import pytest

from danlu.errors import BAD_INPUT
from exam.harness import run, settle

HEAD = "a,b,label\n"
LABELLED = ("data.text=text", "data.target=label")
CASES = [  # name, files, recipe and its fields, what the sentence must name
    ("a table without rows", {"t.csv": HEAD}, ("tabular", "data.path=t.csv", "data.target=label"), "t.csv"),
    ("an empty table", {"t.csv": ""}, ("tabular", "data.path=t.csv", "data.target=label"), "t.csv"),
    ("one row", {"t.csv": HEAD + "1,2,yes\n"}, ("tabular", "data.path=t.csv", "data.target=label"), "one value only"),
    ("no target anywhere", {"t.csv": HEAD + "1,2,\n" * 30}, ("tabular", "data.path=t.csv", "data.target=label"), "label"),
    ("less than a batch", {}, ("digits", "batch_size=100000"), "100000"),
    ("less than a sequence", {"t.txt": "too short"}, ("text", "data.path=t.txt"), "t.txt"),
    ("an empty text", {"t.txt": ""}, ("text", "data.path=t.txt"), "t.txt"),
    ("a text of spaces", {"t.txt": " \n\t\n" * 50}, ("text", "data.path=t.txt"), "t.txt"),
    (
        "texts without words",
        {"t.csv": "text,label\n" + ",a\n,b\n" * 20},
        ("classify-text", "data.path=t.csv", "data.text=text", "data.target=label"),
        "t.csv",
    ),
    ("no files", {}, ("text", "data.path=*.txt"), "*.txt"),
    ("a folder without images", {"pictures/readme.md": "none"}, ("images", "data.path=pictures"), "pictures"),
    ("classes without images", {"pictures/cat/.keep": "", "pictures/dog/.keep": ""}, ("images", "data.path=pictures"), "pictures"),
    ("no steps", {}, ("digits", "epochs=null", "steps=0"), "steps"),
    ("no epochs", {}, ("digits", "epochs=0"), "epochs"),
]


@pytest.mark.slow
def test_nothing_to_train_on(tmp_path: Path) -> None:
    failures, slowest = [], 0.0
    run("--version", cwd=tmp_path)  # whatever the server still imports is not the item's time
    for number, (name, files, words, named) in enumerate(CASES):
        folder = tmp_path / str(number)
        folder.mkdir()
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        ended = run("train", *words, "--out", "run", "--quiet", cwd=folder)
        slowest = max(slowest, ended.seconds)
        if ended.code != BAD_INPUT or named not in ended.last or ended.seconds > 5 or (folder / "run").exists():
            failures.append(f"{name}: exit code {ended.code} after {ended.seconds:.1f} s: {ended.last}")
    settle("R22", len(CASES), failures, slowest_seconds=slowest)
