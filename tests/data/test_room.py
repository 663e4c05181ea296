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
