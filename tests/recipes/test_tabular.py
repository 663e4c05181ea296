"""`tabular`: refuses kindly without a file, and trains on a real table from the command line."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from danlu.cli.main import main

SHARED = Path(os.environ.get("DANLU_DATA") or Path(__file__).resolve().parents[2].parent / "shared" / "data")
HEADER = "fixed acidity;volatile acidity;citric acid;sugar;chlorides;free;total;density;pH;sulphates;alcohol;质量"


def test_without_a_file(capsys):
    assert main(["train", "tabular"]) == 2
    assert "danlu train tabular data.path=my.csv data.target=price" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("task", ["regress", "classify"])
@pytest.mark.skipif(not (SHARED / "wine_quality").is_dir(), reason="no real data: set DANLU_DATA")
def test_wine_quality(tmp_path, capsys, task):
    torch.set_num_threads(1)
    rows = (SHARED / "wine_quality" / "winequality-red.csv").read_text("utf-8").replace(",", ";")
    (tmp_path / "葡萄酒.csv").write_text(f"{HEADER}\n{rows}", "gb18030")
    words = [f"data.path={tmp_path / '葡萄酒.csv'}", "data.target=质量", f"data.task={task}", "device=cpu"]
    assert main(["train", "tabular", *words, "--no-check", "--out", str(tmp_path / "run"), "--json", "--quiet"]) == 0
    figures = json.loads(capsys.readouterr().out)["test"]
    assert figures["test_r2"] > 0.1 if task == "regress" else figures["test_accuracy"] > 0.45


@pytest.mark.slow
@pytest.mark.parametrize(("name", "bound"), [("adult", -0.01), ("california_housing", -0.02)])
@pytest.mark.skipif(not (SHARED / "adult").is_dir(), reason="no real data: set DANLU_DATA")
def test_beside_gradient_boosting(name, bound):
    """At its default settings, on rows that both see: within a point of AUROC, or 0.02 R2, of scikit-learn's boosting."""
    script = Path(__file__).resolve().parents[2] / "bench" / "own_tables.py"
    environment = {**os.environ, "DANLU_DATA": str(SHARED), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, str(script), name, "--seeds", "1"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(re.search(r"difference ([+-][\d.]+)", done.stdout)[1]) > bound, done.stdout
