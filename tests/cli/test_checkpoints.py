"""`danlu checkpoints`: what is listed, and that one wrong byte is found."""

from __future__ import annotations

import json
from pathlib import Path

from danlu import errors


def test_the_list_names_the_best_and_the_latest(danlu, recipe: Path) -> None:
    danlu("train", str(recipe), "--no-check", "--out", "here", "--with", "checkpoint(every=5, keep=3)")
    answer = danlu("checkpoints", "here")
    lines = answer.out.splitlines()
    assert answer.code == 0 and [line.split()[0] for line in lines][-2:] == ["step-10", "step-12"] and len(lines) == 3
    assert "latest" in lines[-1] and sum("best" in line for line in lines) == 1 and all("sizes right" in line for line in lines)
    found = json.loads(danlu("checkpoints", "here", "--verify", "--json").out)
    assert all(one["whole"] for one in found) and found[-1]["names"][0] == "latest"
    folder = Path("here/checkpoints/step-10")
    assert found[-2]["bytes"] == sum(path.stat().st_size for path in folder.iterdir())


def test_one_changed_bit_is_found_by_verify(danlu, recipe: Path) -> None:
    danlu("train", str(recipe), "--no-check", "--out", "here")
    path = next(Path("here/checkpoints").glob("step-12/state.safetensors"))
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert danlu("checkpoints", "here").code == 0  # names and sizes are right
    answer = danlu("checkpoints", "here", "--verify")
    assert answer.code == errors.DAMAGED and "state.safetensors was changed after it was written" in answer.out
    path.unlink()
    assert danlu("checkpoints", "here").code == errors.DAMAGED


def test_no_run_and_no_checkpoint(danlu, recipe: Path, tmp_path: Path) -> None:
    assert danlu("checkpoints", str(tmp_path)).code == errors.BAD_INPUT
    danlu("train", str(recipe), "--no-check", "--out", "here")
    for path in sorted(Path("here/checkpoints").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    answer = danlu("checkpoints", "here", "--lang", "zh")
    assert answer.code == 0 and "还没有检查点" in answer.out
