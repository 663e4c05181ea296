"""S01: of pickles that execute something, in every kind of file that carries one, none is executed; each is refused, or left aside.

And no line of danlu may unpickle: `tests/test_no_code_from_files.py` walks its syntax trees.
"""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from exam import jobs
from exam.files import inside, unclear
from exam.harness import settle

Command = tuple[str, ...]


class Payload:
    """Unpickled, it makes a folder."""

    def __init__(self, canary: Path):
        self.canary = canary

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.canary),)


def zipped(here: Path, evil: Payload) -> Command:
    torch.save({"w": torch.zeros(2), "x": evil}, here / "a.pt")
    return "import", "a.pt", "out.safetensors"


def old_form(here: Path, evil: Payload) -> Command:
    torch.save({"w": torch.zeros(2), "x": evil}, here / "a.pth", _use_new_zipfile_serialization=False)
    return "import", "a.pth", "out.safetensors"


def lightning(here: Path, evil: Payload) -> Command:
    torch.save({"state_dict": {"w": torch.zeros(2)}, "callbacks": {"x": evil}, "pytorch-lightning_version": "2.6"}, here / "a.ckpt")
    return "import", "a.ckpt", "out.safetensors"


def raw_pickle(here: Path, evil: Payload) -> Command:
    (here / "pytorch_model.bin").write_bytes(pickle.dumps(evil))
    return "import", "pytorch_model.bin", "out.safetensors"


def started_from(here: Path, evil: Payload) -> Command:
    torch.save(evil, here / "a.pt")
    return "train", "digits", "steps=1", "--from", "a.pt"


def other_ending(here: Path, evil: Payload) -> Command:
    torch.save(evil, here / "a.safetensors")
    return "train", "digits", "steps=1", "--from", "a.safetensors"


def distributed(here: Path, evil: Payload) -> Command:
    (here / "dcp").mkdir()
    (here / "dcp" / ".metadata").write_bytes(pickle.dumps(evil))
    (here / "dcp" / "__0_0.distcp").write_bytes(pickle.dumps(evil))
    return "train", "digits", "steps=1", "--from", "dcp"


def trainer_folder(here: Path, evil: Payload) -> Command:
    (here / "checkpoint-4").mkdir()
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth", "training_args.bin", "pytorch_model.bin"):
        torch.save(evil, here / "checkpoint-4" / name)
    return "train", "digits", "steps=1", "--from", f"hf:{here / 'checkpoint-4'}"


def numpy_table(here: Path, evil: Payload) -> Command:
    np.save(here / "a.npy", np.array([evil], dtype=object), allow_pickle=True)
    return "train", "tabular", "data.path=a.npy", "data.target=y"


def pandas_table(here: Path, evil: Payload) -> Command:
    (here / "a.pkl").write_bytes(pickle.dumps(evil))
    return "train", "tabular", "data.path=a.pkl", "data.target=y"


def parquet(here: Path, evil: Payload) -> Command:
    (here / "a.parquet").write_bytes(b"PAR1" + pickle.dumps(evil) + b"PAR1")
    return "train", "tabular", "data.path=a.parquet", "data.target=y"


def image(here: Path, evil: Payload) -> Command:
    (here / "a" / "cat").mkdir(parents=True)
    torch.save(evil, here / "a" / "cat" / "1.png")
    return "train", "images", "data.path=a"


def own_weights(here: Path, evil: Payload) -> Command:
    (here / "run" / "model.safetensors").write_bytes(pickle.dumps(evil))
    return "evaluate", "run"


def tokenizer(here: Path, evil: Payload) -> Command:
    (here / "run" / "preprocess.json").write_bytes(pickle.dumps(evil))
    return "sample", "run"


def joblib(here: Path, evil: Payload) -> Command:
    (here / "a.joblib").write_bytes(pickle.dumps(evil))
    return "predict", "run", "a.joblib"


def beside_a_checkpoint(here: Path, evil: Payload) -> Command:
    newest = max((here / "run" / "checkpoints").glob("step-*"), key=lambda path: int(path.name[5:]))
    for name in (".metadata", "rng_state.pth", "optimizer.pt", "state.pkl"):
        (newest / name).write_bytes(pickle.dumps(evil))
    return "resume", "run"


REFUSED: list[Callable[[Path, Payload], Command]] = [
    zipped, old_form, lightning, raw_pickle, started_from, other_ending, distributed, trainer_folder, numpy_table, pandas_table, parquet,
    image, own_weights, tokenizer, joblib,
]  # fmt: skip
LEFT_ASIDE = [beside_a_checkpoint]


def test_the_payload_is_live(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Payload(tmp_path / "canary")))
    assert (tmp_path / "canary").is_dir()


@pytest.mark.slow
def test_pickles(tmp_path: Path) -> None:
    failures, trained = [], tmp_path / "trained"
    trained.mkdir()
    assert inside("train", jobs.write(trained, "mlp", steps=12, every=6), "--out", "run", cwd=trained).code == 0
    for carrier in (*REFUSED, *LEFT_ASIDE):
        here, canary = tmp_path / carrier.__name__, tmp_path / f"canary-{carrier.__name__}"
        here.mkdir()
        if carrier in (own_weights, tokenizer, joblib, beside_a_checkpoint):
            shutil.copytree(trained / "run", here / "run")
        ended = inside(*carrier(here, Payload(canary)), cwd=here)
        if canary.exists():
            failures.append(f"{carrier.__name__}: it was executed")
        elif wrong := unclear(ended, codes=(0,) if carrier in LEFT_ASIDE else (2, 3, 7)):
            failures.append(f"{carrier.__name__}: {wrong}")
        elif list(here.glob("out.safetensors*")):
            failures.append(f"{carrier.__name__}: something was written")
    settle("S01", len(REFUSED) + len(LEFT_ASIDE), failures, executed=len(list(tmp_path.glob("canary-*"))))


@pytest.mark.slow
def test_a_poisoned_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrays that are kept in the cache are made anew when their file holds objects."""
    from danlu.data.cached import cached
    from danlu.folders import cache_folder

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    place = cache_folder() / "derived" / "key.npz"
    place.parent.mkdir(parents=True)
    np.savez(place, a=np.array([Payload(tmp_path / "canary")], dtype=object))
    found = cached("key", lambda: {"a": np.arange(3)})
    failures = [] if found["a"].tolist() == [0, 1, 2] and not (tmp_path / "canary").exists() else ["the cache's objects were read"]
    settle("S01", 1, failures)


def test_no_line_unpickles() -> None:
    from test_no_code_from_files import test_nothing_in_the_product_runs_code_from_a_file as walk

    walk()
    settle("S01", 1)
