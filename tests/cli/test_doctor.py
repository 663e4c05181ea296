"""`danlu doctor` looks at everything and never fails."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest
import torch

from danlu import doctor, find
from danlu.errors import speak


def test_doctor(danlu) -> None:
    answer = danlu("doctor")
    assert answer.code == 0
    assert torch.__version__ in answer.out
    assert all(f"  {name} " in answer.out for name in find.names("data"))
    assert danlu("doctor", "--lang", "zh").out != answer.out


def test_a_missing_extra_comes_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    speak("en")

    def version(name: str) -> str:
        if name in ("tokenizers", "rich"):
            raise importlib.metadata.PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(doctor.metadata, "version", version)
    rows = dict(doctor.packages())
    assert "pip install 'danlu[text]'" in rows["tokenizers [text]"]
    assert "pip install 'rich" in rows["rich"]
    assert not any("pytest" in name for name in rows)
    speak(None)


def test_data_sets_are_looked_for_where_they_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    speak("en")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DANLU_DATA", str(tmp_path / "data"))
    rows = dict(doctor.data_sets())
    assert "made from what is installed" in rows["digits"]
    assert "fetched" in rows["fashion_mnist"]
    wrong = tmp_path / "data" / "california_housing" / "housing.csv"
    wrong.parent.mkdir(parents=True)
    wrong.write_text("not it")
    assert "SHA-256" in dict(doctor.data_sets())["california_housing"]
    speak(None)
