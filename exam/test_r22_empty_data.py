"""R22: no rows, less than a batch, less than a sequence, everything left out: exit code 2 within 5 s, with the count that was too small."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from exam.files import error, inside, unclear
from exam.harness import settle

Case = tuple[tuple[str, ...], str]  # the words of a command, and what must be said


def table(here: Path, text: str, *more: str) -> tuple[str, ...]:
    (here / "a.csv").write_text(text)
    return "tabular", "data.path=a.csv", "data.target=y", *more


def no_bytes(here: Path) -> Case:
    return table(here, ""), "a.csv"


def a_head_only(here: Path) -> Case:
    return table(here, "x,y\n"), "a.csv"


def one_row(here: Path) -> Case:
    return table(here, "x,y\n1,a\n"), "rows: 1"


def two_rows(here: Path) -> Case:
    return table(here, "x,y\n1,a\n2,b\n"), "2 "


def no_target_filled(here: Path) -> Case:
    return table(here, "x,y\n" + "1,\n" * 50), "rows: 50"


def less_than_a_batch(here: Path) -> Case:
    return table(here, "x,y\n" + "".join(f"{n},{'ab'[n % 2]}\n" for n in range(40)), "batch_size=64"), "64"


def no_text(here: Path) -> Case:
    (here / "a.txt").write_text("")
    return ("text", "data.path=a.txt"), "0"


def blank_text(here: Path) -> Case:
    (here / "a.txt").write_text(" \n\n\t\n" * 100)
    return ("text", "data.path=a.txt"), "0"


def little_text(here: Path) -> Case:
    (here / "a.txt").write_text("A few words.")
    return ("text", "data.path=a.txt"), "12"


def less_than_a_sequence(here: Path) -> Case:
    (here / "a.txt").write_text("".join(f"This is sentence number {n}, as good as any. " for n in range(150)))
    return ("text", "data.path=a.txt", "data.length=100000"), "100000"


def no_files(here: Path) -> Case:
    (here / "texts").mkdir()
    return ("text", "data.path=texts"), "texts"


def no_images(here: Path) -> Case:
    (here / "a" / "cat").mkdir(parents=True)
    return ("images", "data.path=a"), "a"


def one_image(here: Path) -> Case:
    (here / "a" / "cat").mkdir(parents=True)
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(here / "a" / "cat" / "1.png")
    return ("images", "data.path=a"), "cat"


def no_labelled_text(here: Path) -> Case:
    (here / "a.csv").write_text("text,label\n")
    return ("classify-text", "data.path=a.csv", "data.text=text", "data.target=label"), "a.csv"


def own(here: Path, rows: int, batch: int) -> tuple[str, ...]:
    (here / "own.py").write_text(
        "import torch\nfrom danlu.data.source import Data, Facts, Tensors\n"
        f"def rows():\n    return Data(Tensors(torch.zeros({rows}, 3), torch.zeros({rows}).long()), Facts('classify', (3,), 2))\n"
    )
    recipe = {"model": "mlp", "data": "own.py:rows", "optimizer": "adamw", "steps": 2, "batch_size": batch}
    (here / "own.json").write_text(json.dumps(recipe))
    return ("own.json",)


def own_rows_none(here: Path) -> Case:
    return own(here, 0, 4), "no rows"


def own_rows_too_few(here: Path) -> Case:
    return own(here, 3, 4), "3 rows"


CASES: list[Callable[[Path], Case]] = [
    no_bytes, a_head_only, one_row, two_rows, no_target_filled, less_than_a_batch, no_text, blank_text, little_text, less_than_a_sequence,
    no_files, no_images, one_image, no_labelled_text, own_rows_none, own_rows_too_few,
]  # fmt: skip


@pytest.mark.slow
def test_empty_data(tmp_path: Path) -> None:
    failures, longest = [], 0.0
    for case in CASES:
        here = tmp_path / case.__name__
        here.mkdir()
        words, said = case(here)
        ended = inside("train", *words, "--out", "run", "--json", cwd=here)
        longest = max(longest, ended.seconds)
        if wrong := unclear(ended, said):
            failures.append(f"{case.__name__}: {wrong}")
        elif ended.seconds > 5 or error(ended).get("code") != 2:
            failures.append(f"{case.__name__}: {ended.seconds:.1f} s, {error(ended)}")
        elif (here / "run").exists():
            failures.append(f"{case.__name__}: a run folder was made")
    settle("R22", len(CASES), failures, longest_s=longest)
