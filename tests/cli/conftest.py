"""A command line that runs in this process, in a folder of its own, in English unless a test asks for another language."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from danlu.cli.main import main


class Answer(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def last(self) -> str:
        return self.err.strip().splitlines()[-1]


@pytest.fixture
def danlu(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Answer]]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DANLU_LANG", "en")
    monkeypatch.setenv("COLUMNS", "100")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)

    def call(*arguments: str) -> Answer:
        capsys.readouterr()
        code = main(list(arguments))
        return Answer(code, *capsys.readouterr())

    yield call
    torch.set_num_threads(threads)


RECIPE = """\
model: {mlp: {hidden: [8]}}
data: wine
optimizer: {adamw: {lr: 0.01}}
schedule: {cosine: {warmup: 2}}
steps: 12
batch_size: 32
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe file of a training that takes a moment."""
    path = tmp_path / "small.yaml"
    path.write_text(RECIPE, "utf-8")
    return path
