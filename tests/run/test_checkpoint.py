"""Checkpoints: any state comes back bit for bit, a changed bit is found, and a crash anywhere leaves a whole one."""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import random
import shutil
import stat
import struct
from pathlib import Path

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from safetensors.torch import load_file

from danlu.core import Run
from danlu.errors import NO_SPACE, BadInput, NoSpace
from danlu.run import checkpoint, durable

from . import tiny_training as small

DTYPES = [
    torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8,
    torch.bool, torch.complex64, torch.complex128, torch.float8_e4m3fn, torch.float8_e5m2, torch.uint16, torch.uint32,
]  # fmt: skip


@st.composite
def tensors(draw):
    """Random bits of any type and shape, 0-d and empty ones, slices and transposes included."""
    dtype = draw(st.sampled_from(DTYPES))
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    width = torch.empty(0, dtype=dtype).element_size()
    count = math.prod(shape) * width
    raw = draw(st.binary(min_size=count, max_size=count))
    if dtype == torch.bool:
        raw = bytes(byte & 1 for byte in raw)
    value = torch.frombuffer(bytearray(raw), dtype=torch.uint8).view(dtype).reshape(shape) if count else torch.empty(shape, dtype=dtype)
    if value.dim() >= 2 and draw(st.booleans()):
        return value.transpose(0, -1)
    if value.dim() >= 1 and len(value) > 1 and draw(st.booleans()):
        return value[1::2]
    return value


def write(state, checkpoints, step, *, extra=None, **how):
    return checkpoint.write(checkpoint.image(state, extra), checkpoints, step, **how)


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
keys = st.text(max_size=4) | st.integers(-3, 300) | st.none() | st.booleans() | st.tuples(st.integers(0, 3), st.text(max_size=2))
trees = st.recursive(
    plain | tensors(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3) | st.lists(inner, max_size=3).map(tuple),
    max_leaves=12,
)


def same(a, b):
    if isinstance(a, torch.Tensor):
        bits = lambda t: bytes(bytearray(t.clone(memory_format=torch.contiguous_format).untyped_storage().tolist()))
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and a.shape == b.shape and bits(a) == bits(b)
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return [repr(key) for key in a] == [repr(key) for key in b] and all(same(x, y) for x, y in zip(a.values(), b.values()))
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    if isinstance(a, float):
        return (math.isnan(a) and math.isnan(b)) or struct.pack("d", a) == struct.pack("d", b)
    return a == b


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trees)
def test_any_state_comes_back_bit_for_bit(tmp_path, monkeypatch, tree):
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    shutil.rmtree(tmp_path / "c", ignore_errors=True)
    assert same(checkpoint.read(write(tree, tmp_path / "c", 7)), tree)


def test_elements_lie_as_they_lay(tmp_path):
    """A product with a matrix that lies by columns has other last bits than one that lies by rows: K-FAC's eigenvectors are such."""
    square, image = torch.randn(5, 5).t(), torch.randn(2, 3, 4, 4).contiguous(memory_format=torch.channels_last)
    state = {
        "columns": square, "image": image, "low": square.bfloat16(), "odd": torch.zeros(3, 2, dtype=torch.float8_e5m2).t(),
        "slice": torch.randn(6, 4)[::2], "spread": torch.ones(3, 1).expand(3, 4), "one": torch.ones(4, 1).t(),
        "none": torch.empty(0, 2).t(),
    }  # fmt: skip
    found = checkpoint.read(write(state, tmp_path, 1))
    assert same(found, state)
    for name in ("columns", "image", "low", "odd"):
        assert found[name].stride() == state[name].stride() and not found[name].is_contiguous()
    for name in ("slice", "spread", "one", "none"):  # elements between which others lie, or that lie there twice
        assert found[name].is_contiguous()


def a_state(value: float = 1.0) -> dict:
    weight = torch.full((4, 3), value)
    return {
        "step": int(value),
        "model": {"layer.weight": weight, "layer.bias": torch.arange(3.0) + value, "__metadata__": torch.ones(1)},
        "optimizer": {
            "state": {"layer.weight": {"step": torch.tensor(value), "exp_avg": weight.t()}},
            "groups": [{"lr": 1e-3, "betas": (0.9, 0.999)}],
        },
        "techniques": {"early.0": {"best": -math.inf, 3: None, "again": weight}, "a/b": torch.zeros(2), "a": {"b": torch.ones(2)}},
    }


def test_the_model_file_is_for_any_tool(tmp_path):
    folder = write(a_state(), tmp_path, 1, extra={"metrics": {"val_loss": 0.5}})
    assert set(load_file(folder / "model.safetensors")) == {"layer.weight", "layer.bias"}
    assert json.loads((folder / "metrics.json").read_text()) == {"val_loss": 0.5}
    assert same(checkpoint.read(folder), a_state())


def test_a_tensor_that_is_there_twice_is_stored_once(tmp_path):
    big = torch.zeros(1000)
    folder = write({"model": {"w": big}, "ema": {"w": big}, "half": big[:500]}, tmp_path, 1)
    assert sum(path.stat().st_size for path in folder.iterdir()) < 4000 + 2000 + 2000


@pytest.mark.parametrize("bad", [object(), {1, 2}, b"raw", torch.zeros(2).to_sparse(), torch.zeros(2, device="meta")])
def test_what_cannot_be_saved_is_named(tmp_path, bad):
    with pytest.raises(BadInput, match="techniques/mine/field"):
        write({"techniques": {"mine": {"field": bad}}}, tmp_path / "c", 1)
    assert not (tmp_path / "c").exists()


def test_every_flipped_bit_is_found(tmp_path):
    folder = write(a_state(), tmp_path, 5)
    draw = random.Random(0)
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        for _ in range(60):
            place = draw.randrange(8 * len(whole))
            changed = bytearray(whole)
            changed[place // 8] ^= 1 << place % 8
            path.write_bytes(changed)
            with pytest.raises(checkpoint.Broken):
                checkpoint.read(folder)
        for length in (0, 1, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:length])
            with pytest.raises(checkpoint.Broken, match=path.name):
                checkpoint.read(folder)
        path.unlink()
        with pytest.raises(checkpoint.Broken, match=path.name):
            checkpoint.read(folder)
        path.write_bytes(whole)
    assert checkpoint.verify(folder)["step"] == 5


def test_a_newer_format_and_a_renamed_folder_are_said(tmp_path, monkeypatch):
    folder = write(a_state(), tmp_path, 5)
    os.rename(folder, tmp_path / "step-6")
    with pytest.raises(checkpoint.Broken, match="belongs to step 5"):
        checkpoint.verify(tmp_path / "step-6")
    monkeypatch.setattr(checkpoint, "FORMAT", 2)
    folder = write(a_state(), tmp_path, 7)
    monkeypatch.setattr(checkpoint, "FORMAT", 1)
    with pytest.raises(checkpoint.Broken, match="update danlu"):
        checkpoint.verify(folder)


def test_names_in_a_manifest_cannot_leave_the_folder(tmp_path):
    (tmp_path / "secret").write_text("x")
    folder = write(a_state(), tmp_path / "c", 1)
    body = {"format": 1, "danlu": "0", "step": 1, "files": {"../../secret": [1, "0"]}}
    (folder / "manifest.json").write_bytes(checkpoint._sealed(body))
    with pytest.raises(checkpoint.Broken, match="not a plain file"):
        checkpoint.verify(folder)
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "manifest.json").write_bytes(checkpoint._sealed({**body, "files": {"link": [1, "0"]}}))
    with pytest.raises(checkpoint.Broken, match="not a plain file"):
        checkpoint.verify(folder)


@pytest.mark.parametrize(
    "forged",
    [{"files": None}, {"files": [1]}, {"files": {"model.safetensors": 3}}, {"files": {"model.safetensors": [1]}},
     {"files": {"\0": [1, "0"]}},
     {"files": {"\ud800": [1, "0"]}}, {"step": "3"}, {"step": None}, {"format": "2"}, {"format": 99, "danlu": None}],
)  # fmt: skip
def test_a_manifest_that_was_made_up_is_refused(tmp_path, forged):
    folder = checkpoint.write(checkpoint.image({"x": torch.zeros(2)}), tmp_path / "c", 3)
    body = json.loads((folder / "manifest.json").read_text())
    body.pop("digest")
    for changed in ({**body, **forged}, {key: value for key, value in body.items() if key not in forged}):
        (folder / "manifest.json").write_bytes(checkpoint._sealed(changed))
        with pytest.raises(checkpoint.Broken):
            checkpoint.verify(folder)


def test_the_newest_whole_one_is_chosen_by_step(tmp_path):
    for step in (8, 9, 10):
        write(a_state(step), tmp_path, step, keep=3)
    os.utime(tmp_path / "step-8")  # times do not matter
    assert checkpoint.newest_valid(tmp_path) == (tmp_path / "step-10", [])
    (tmp_path / "step-10" / "state.json").unlink()
    (tmp_path / "step-9" / "manifest.json").write_bytes(b"")
    folder, reasons = checkpoint.newest_valid(tmp_path)
    assert folder == tmp_path / "step-8"
    assert ["step-10" in str(reasons[0]), "step-9" in str(reasons[1])] == [True, True]
    assert all("\n" not in str(reason) for reason in reasons)
    assert checkpoint.newest_valid(tmp_path / "nothing") == (None, [])


def test_the_newest_and_the_best_are_kept(tmp_path):
    for step in range(1, 8):
        write(a_state(step), tmp_path, step, keep=2, best=step == 3)
    assert checkpoint.steps(tmp_path) == [3, 6, 7]
    assert checkpoint.named(tmp_path, "latest").name == "step-7"
    assert checkpoint.named(tmp_path, "best").name == "step-3"
    (tmp_path / "step-7" / "state.json").unlink()
    write(a_state(6.5), tmp_path, 6, keep=1)  # gone on from 3: what lies beyond was given up
    assert checkpoint.steps(tmp_path) == [3, 6]
    assert checkpoint.read(tmp_path / "step-6")["model"]["layer.weight"][0, 0] == 6.5


def test_milestones_and_the_best_ones_stay(tmp_path):
    for step in range(1, 11):
        write(a_state(step), tmp_path, step, keep=2, stays=lambda old: old % 4 == 0 or old == 3)
    assert checkpoint.steps(tmp_path) == [3, 4, 8, 9, 10]


def test_an_image_that_was_copied_is_moved_by_nobody(tmp_path):
    state = {"model": {"w": torch.zeros(3, 3)}, "other": [torch.ones(2, dtype=torch.int64)]}
    taken = checkpoint.image(state).copied()
    again = checkpoint.image({"model": {"w": torch.full((3, 3), 7.0)}, "other": [torch.zeros(2, dtype=torch.int32)]})
    state["model"]["w"] += 1
    state["other"][0] += 1
    found = checkpoint.read(checkpoint.write(taken, tmp_path, 1))
    assert found["model"]["w"].sum() == 0 and found["other"][0].tolist() == [1, 1]
    home = taken.files["model"]["w"].data_ptr()
    assert again.copied(taken.files).files["model"]["w"].data_ptr() == home  # the memory of the copy before is used again
    assert checkpoint.read(checkpoint.write(again.copied(taken.files), tmp_path, 2))["other"][0].dtype == torch.int32


@pytest.mark.parametrize("form", [1, 2])
def test_a_checkpoint_of_an_older_format_is_gone_on_with(form, tmp_path):
    """`format-1/step-16` was written before `checkpoint` had a state, `format-2/step-16` before every run had `nonfinite`."""
    old = Path(__file__).parent / f"format-{form}" / "step-16"
    assert json.loads((old / "manifest.json").read_text())["format"] == form
    with Run(small.recipe()) as run:
        run.load(checkpoint.read(old))
        assert [report.step for report in run] == [17, 18]
        assert checkpoint.read(write(run.state(), tmp_path, 18))["techniques"]["checkpoint.0"] == {"ranked": ()}


def test_nobody_else_may_read_it(tmp_path):
    folder = write(a_state(), tmp_path / "checkpoints", 1)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in [*folder.iterdir(), tmp_path / "checkpoints" / "latest"]}
    assert modes == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)} == {0o700}


class Crash(BaseException):
    """Stands for a kill: nothing may catch it."""


CALLS = ["open", "write", "fsync", "rename", "replace", "mkdir", "unlink", "rmdir"]


def interrupt(monkeypatch, kth, error):
    """Let the k-th of all file operations raise instead; returns how to ask whether that was reached."""
    count = 0
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # what matters here is the order, not the disk

    def wrapped(call):
        def operation(*args, **kwargs):
            nonlocal count
            count += 1
            if count == kth:
                raise error() if isinstance(error, type) else error
            return call(*args, **kwargs)

        return operation

    for name in CALLS:
        monkeypatch.setattr(os, name, wrapped(getattr(os, name)))
    return lambda: count >= kth


@pytest.mark.parametrize("again", [False, True], ids=["new step", "same step"])
def test_a_crash_between_any_two_file_operations_leaves_a_whole_checkpoint(tmp_path, monkeypatch, again):
    write(a_state(1), tmp_path / "before", 1, best=True)
    write(a_state(2), tmp_path / "before", 2)
    step = 2 if again else 3
    kth, done = 0, False
    while not done:
        kth += 1
        runs = tmp_path / str(kth)
        shutil.copytree(tmp_path / "before", runs)
        with monkeypatch.context() as patch:
            reached = interrupt(patch, kth, Crash)
            with contextlib.suppress(Crash):
                write(a_state(3), runs, step, best=True, keep=1)
            done = not reached()
        if again and not (runs / "step-2").exists():
            checkpoint.recover(runs)  # what opening the folder does
        folder, _ = checkpoint.newest_valid(runs)
        value = checkpoint.read(folder)["step"]
        assert value in ((2, 3) if again else (3,) if folder.name == "step-3" else (2,))
        for name in ("latest", "best"):
            checkpoint.verify(checkpoint.named(runs, name))
        write(a_state(4), runs, 4, keep=1)  # goes on, and leaves no rubbish
        assert not [path for path in runs.iterdir() if path.suffix in (".tmp", ".old")]
    assert kth > 20


def test_a_crash_before_the_best_is_named_is_made_good(tmp_path, monkeypatch):
    """Whoever was killed between the rename of a checkpoint and that of `best` never marks that step again: its state says that it did."""
    for kth in range(1, 200):
        runs = tmp_path / str(kth)
        write(a_state(1), runs, 1, best=True)
        with monkeypatch.context() as patch:
            reached = interrupt(patch, kth, Crash)
            with contextlib.suppress(Crash):
                write(a_state(2), runs, 2, best=True)
            done = not reached()
        checkpoint.recover(runs)
        newest, _ = checkpoint.newest_valid(runs)
        checkpoint.settle(runs, int(newest.name[-1]))
        assert checkpoint.named(runs, "latest") == checkpoint.named(runs, "best") == newest
        if done:
            break
    assert done and kth > 20


def test_best_goes_back_with_a_run_whose_newest_checkpoint_is_broken(tmp_path):
    for step, best in ((1, False), (2, True), (3, False), (4, True)):
        write(a_state(step), tmp_path, step, best=best, keep=9)
    (tmp_path / "step-4" / "state.json").unlink()
    checkpoint.settle(tmp_path, 3)
    assert [checkpoint.named(tmp_path, name).name for name in ("latest", "best")] == ["step-3", "step-2"]
    (tmp_path / "step-2" / "manifest.json").unlink()  # none says that it was best, as none did before manifests could
    checkpoint.settle(tmp_path, 3)
    assert checkpoint.named(tmp_path, "best").name == "step-2"


@pytest.mark.parametrize("again", [False, True], ids=["new step", "same step"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_write_that_fails_anywhere_is_said_and_leaves_nothing(tmp_path, monkeypatch, code, again):
    write(a_state(1), tmp_path / "before", 1)
    write(a_state(2), tmp_path / "before", 2)
    step = 2 if again else 3
    kth, done = 0, False
    while not done:
        kth += 1
        runs = tmp_path / str(kth)
        shutil.copytree(tmp_path / "before", runs)
        with monkeypatch.context() as patch:
            reached = interrupt(patch, kth, OSError(code, os.strerror(code)))
            trouble = None
            try:
                write(a_state(3), runs, step, best=True)
            except NoSpace as error:
                trouble = error
            done = not reached()
        if trouble is not None:
            assert trouble.code == NO_SPACE
            assert ("free" if code == errno.ENOSPC else os.strerror(code)) in str(trouble)
        folder, reasons = checkpoint.newest_valid(runs)
        assert reasons == []
        assert folder.name in ((f"step-{step}",) if trouble is None else ("step-2", "step-3"))
        assert not [path for path in runs.glob("*.tmp") if path.name != "step-1.tmp"]  # an old one may wait for the next save
        write(a_state(4), runs, 4)  # works again when space is back
    assert kth > 10


def test_every_file_is_durable_before_the_rename(tmp_path, monkeypatch):
    order, names = [], {}
    opened, synced, renamed = os.open, os.fsync, os.rename

    def remember(path, *args, **kwargs):
        handle = opened(path, *args, **kwargs)
        names[handle] = os.path.basename(path)
        return handle

    monkeypatch.setattr(os, "open", remember)
    monkeypatch.setattr(os, "fsync", lambda handle: (order.append(names[handle]), synced(handle))[1])
    monkeypatch.setattr(os, "rename", lambda a, b: (order.append(f"rename {os.path.basename(b)}"), renamed(a, b))[1])
    write(a_state(), tmp_path, 1, extra={"metrics": {}})
    commit = order.index("rename step-1")
    assert order[commit - 2 : commit] == ["manifest.json", "step-1.tmp"]
    assert set(order[: commit - 2]) == {"model.safetensors", "state.safetensors", "state.json", "metrics.json"}
    assert order[commit + 1 :] == [tmp_path.name, "latest.tmp", tmp_path.name]


def test_a_failure_of_an_early_flush_is_not_lost(tmp_path, monkeypatch):
    """Linux tells of a write that failed in the background once; a sync after that succeeds."""
    told = []

    def fails_once(handle):
        if not told:
            told.append(handle)
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(durable, "_FLUSH", 1 << 20)
    monkeypatch.setattr(os, "fdatasync", fails_once, raising=False)
    with pytest.raises(OSError, match="Input/output"):
        durable.write(tmp_path / "f", [bytes(1 << 24)] * 3)


def test_large_states_are_written_side_by_side_to_the_same_bytes(tmp_path, monkeypatch):
    small = write(a_state(), tmp_path / "small", 1, extra={"metrics": {}})
    monkeypatch.setattr(checkpoint, "_LARGE", 0)
    monkeypatch.setattr(durable, "_FLUSH", 1)
    large = write(a_state(), tmp_path / "large", 1, extra={"metrics": {}})
    assert {path.name: path.read_bytes() for path in small.iterdir()} == {path.name: path.read_bytes() for path in large.iterdir()}
    checkpoint.verify(large)
    written = durable.write

    def fails(path, pieces):
        if path.name == "state.safetensors":
            raise OSError(errno.EIO, "Input/output error")
        return written(path, pieces)

    monkeypatch.setattr(durable, "write", fails)
    with pytest.raises(NoSpace, match="Input/output"):
        write(a_state(), tmp_path / "large", 2)
    assert checkpoint.steps(tmp_path / "large") == [1] and not list((tmp_path / "large").glob("*.tmp"))


def test_large_files_are_hashed_as_they_are_written(tmp_path):
    whole = os.urandom((1 << 24) + 5)
    assert durable.write(tmp_path / "f", [whole[:3], memoryview(whole)[3:]]) == durable.read(tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == whole
