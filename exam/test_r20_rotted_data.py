"""R20: a data file that was cut or has a flipped bit is found before the first step: by its digest, or in own files by its line."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from pathlib import Path

import pytest

from danlu.errors import BAD_INPUT
from exam.harness import run, settle, size

SETS = {"california_housing": "housing.csv", "tinyshakespeare": "input.txt", "banking77": "train.csv"}


@pytest.mark.slow
def test_published_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = os.environ.get("DANLU_DATA")
    there = {name: file for name, file in SETS.items() if own and (Path(own) / name / file).is_file()}
    if not there:
        pytest.skip("none of the data sets is on this machine")
    draw, failures, n = random.Random(0), [], 0
    for trial in range(size(6, 200)):
        name, file = list(there.items())[trial % len(there)]
        folder = tmp_path / f"{trial}"
        shutil.copytree(Path(own or "") / name, folder / name)
        path = folder / name / file
        path.chmod(0o600)
        content, stamp = bytearray(path.read_bytes()), path.stat().st_mtime_ns
        if trial % 2:
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        else:
            content = content[: draw.randrange(len(content))]
        path.write_bytes(content)
        os.utime(path, ns=(stamp, stamp))
        ended = run("train", name, "--out", "run", "--quiet", cwd=tmp_path, hook=("data_folder", {"path": str(folder)}))
        n += 1
        found = hashlib.sha256(content).hexdigest()
        if ended.code != BAD_INPUT or str(path) not in ended.text or found not in ended.text or (tmp_path / "run").exists():
            failures.append(f"{name}, {'a bit' if trial % 2 else 'cut'}: exit code {ended.code}: {ended.text[-300:]}")
        shutil.rmtree(folder)
    settle("R20", n, failures)


TABLE = "a,b,label\n" + "".join(f"{k},{k * k % 97}.5,{'yes' if k % 3 else 'no'}\n" for k in range(200))


@pytest.mark.slow
def test_own_files_cut_in_a_row(tmp_path: Path) -> None:
    """No digest is known of a person's own file: what a cut leaves of a row is named by its line, where it can be told from a row."""
    draw, failures, n = random.Random(1), [], 0
    for trial in range(size(4, 100)):
        file, text = ("t.csv", TABLE) if trial % 2 else ("t.tsv", TABLE.replace(",", "\t"))
        line = draw.randrange(20, 199)
        start = sum(len(part) + 1 for part in text.split("\n")[:line])
        (tmp_path / file).write_text(text[: start + 1 + draw.randrange(2)])
        ended = run("train", "tabular", f"data.path={file}", "data.target=label", "--out", "run", "--quiet", cwd=tmp_path)
        n += 1
        if ended.code != BAD_INPUT or file not in ended.last or str(line + 1) not in ended.last or (tmp_path / "run").exists():
            failures.append(f"{file} cut in line {line + 1}: exit code {ended.code}: {ended.last}")
            shutil.rmtree(tmp_path / "run", ignore_errors=True)
    settle("R20", n, failures)
