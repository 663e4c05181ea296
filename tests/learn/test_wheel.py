"""`pip install danlu` has the lessons: a wheel is built, unpacked, and asked for them, outside of the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_wheel_teaches(tmp_path: Path):
    pytest.importorskip("setuptools")
    checkout = tmp_path / "checkout"
    shutil.copytree(
        ROOT, checkout, ignore=shutil.ignore_patterns(".git", ".venv*", "build", "dist", "*.egg-info", "__pycache__", "runs", ".*_cache")
    )
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), str(checkout)]
    built = subprocess.run(pip, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        file.extractall(tmp_path / "installed")
    there = {str(path.relative_to(ROOT)) for path in (ROOT / "lessons").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {name.removeprefix("danlu/") for name in names if name.startswith("danlu/lessons/")} == there
    shutil.rmtree(checkout)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed"), "XDG_DATA_HOME": str(tmp_path / "data"), "DANLU_LANG": "zh"}

    def danlu(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "danlu", "learn", *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "手写一步训练" in danlu()
    danlu("open", "03")
    assert (tmp_path / "03_learning_rate" / "window.zh.svg").is_file()
    shutil.copyfile(tmp_path / "installed" / "danlu" / "lessons" / "03_learning_rate" / "solutions" / "1.py", tmp_path / "mine.py")
    assert "正确" in danlu("check", "03.1", "mine.py")
