"""Room for rows: small ones in memory, large ones in a file that leaves nothing behind."""

import os

import pytest
import torch

import danlu
from danlu.data import room as room_module
from danlu.data.room import room


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64])
def test_large_rows_lie_in_a_file(tmp_path, monkeypatch, dtype):
    monkeypatch.setattr(room_module, "LARGE", 1000)
    monkeypatch.setattr(room_module, "cache_folder", lambda: tmp_path / "cache")
    large, small = room((500, 3), dtype), room((5, 3), dtype)
    for tensor in (large, small):
        tensor.copy_(torch.arange(tensor.numel()).view(tensor.shape))
        assert tensor.shape[1] == 3 and tensor.sum() == tensor.numel() * (tensor.numel() - 1) / 2
    assert torch.equal(large.index_select(0, torch.tensor([7, 2]))[:, 0], torch.tensor([21, 6], dtype=dtype))
    assert os.listdir(tmp_path / "cache") == []  # it has no name
    assert room((0, 3), dtype).shape == (0, 3)


def test_no_room(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(room_module, "LARGE", 1000)
    monkeypatch.setattr(room_module, "cache_folder", lambda: tmp_path / "file" / "cache")
    with pytest.raises(danlu.BadInput, match="no room"):
        room((1000, 10), torch.float32)


def test_a_large_table_is_the_same_table(tmp_path, monkeypatch):
    """Rows in a file train as those in memory do, and are checked and digested block by block."""
    from danlu.data.checks import check_rows
    from danlu.data.tabular import Tabular

    lines = ["x,city,y"] + [f"{k * 7 % 13},{'abc'[k % 3]},{k % 5}.5" for k in range(400)]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    small = Tabular(str(tmp_path / "a.csv"), "y", task="regress")()
    monkeypatch.setattr(room_module, "LARGE", 100)
    monkeypatch.setattr(room_module, "BLOCK", 64)
    monkeypatch.setattr(room_module, "cache_folder", lambda: tmp_path / "cache")
    large = Tabular(str(tmp_path / "a.csv"), "y", task="regress")()
    ids = torch.arange(len(small.train))
    (x, y), (x_large, y_large) = (data.train.fetch(ids, 0) for data in (small, large))
    assert torch.equal(y, y_large) and all(torch.equal(value, x_large[name]) for name, value in x.items())
    assert len(large.train.content()[0]) == 2 * -(-len(ids) // 64)
    check_rows(large, 32)
    large.train.inputs["numeric"][70, 0] = float("nan")
    with pytest.raises(danlu.BadInput, match="nan"):
        check_rows(large, 32)
