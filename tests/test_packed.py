"""Archives that would grow are told from those that torch and numpy write, before anything of them is read."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
import torch

from danlu.data import cifar
from danlu.data.cached import cached
from danlu.errors import BadInput, speak
from danlu.folders import cache_folder
from danlu.packed import check_stored


@pytest.fixture(autouse=True)
def english():
    speak("en")
    yield
    speak(None)


def repacked(source, target, method):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", method) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return target


def test_what_torch_and_numpy_write_is_stored(tmp_path):
    torch.save({"a": torch.zeros(1000), "b": torch.zeros(0)}, tmp_path / "a.pt")
    np.savez(tmp_path / "a.npz", a=np.zeros(1000), b=np.zeros(0))
    check_stored(tmp_path / "a.pt")
    check_stored(tmp_path / "a.npz")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packed_part_is_named_with_its_sizes(tmp_path, method):
    np.savez(tmp_path / "a.npz", a=np.zeros(1000))
    with pytest.raises(BadInput, match=r"packed.npz: its part a.npy is packed, \d+ bytes that would become 8128"):
        check_stored(repacked(tmp_path / "a.npz", tmp_path / "packed.npz", method))


def test_parts_that_lie_over_one_another(tmp_path):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a", b"x" * 1000)
        archive.filelist *= 3  # the central directory names the same bytes three times
    (tmp_path / "a.zip").write_bytes(made.getvalue())
    with pytest.raises(BadInput, match="together would be 3000 bytes"):
        check_stored(tmp_path / "a.zip")


def test_packed_arrays_are_made_anew_or_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    place = cache_folder() / "derived" / "key.npz"
    place.parent.mkdir(parents=True)
    np.savez_compressed(place, a=np.zeros(3))
    assert cached("key", lambda: {"a": np.arange(3)})["a"].tolist() == [0, 1, 2]
    assert cached("key", lambda: {"a": np.zeros(3)})["a"].tolist() == [0, 1, 2]  # kept, and not packed
    pytest.importorskip("PIL")
    np.savez_compressed(tmp_path / "train.npz", blob=np.zeros(9, np.uint8), offset=np.zeros(1, np.int64), label=np.zeros(0, np.uint8))
    with pytest.raises(BadInput, match=r"train\.npz: its part blob\.npy is packed"):
        cifar.decode(tmp_path / "train.npz")
