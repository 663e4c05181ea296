"""S04: archives that would write elsewhere, or grow beyond measure when they are read, are refused in a sentence; nothing is written.

danlu extracts no archive. What it reads that is packed: weights of torch (`danlu import`), .npz, gzipped IDX files, images, Parquet.
"""

from __future__ import annotations

import gzip
import io
import json
import pickle
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from exam import jobs
from exam.files import inside, measured, tree, unclear
from exam.harness import FULL, settle, size

GROWTH = 500e6  # bytes of memory beyond what the imports take that reading any of them may need
BOMB = 3_000_000_000  # bytes that each would become
Command = tuple[str, ...]


# ---- archives that name places outside ----


def members(outside: Path) -> list[tuple[str, str]]:
    """Names of members, and what some links point at, that an extraction would follow out of its folder."""
    return [
        ("../../escaped", ""), (str(outside / "escaped"), ""), ("a/../../../escaped", ""), ("..\\..\\escaped", ""),
        ("link", str(outside)), ("link/escaped", ""), ("hard", str(outside / "victim")), ("", str(outside)),
        ("/".join(["d" * 200] * 30) + "/../" * 31 + "escaped", ""), ("\0escaped", ""), ("C:\\escaped", ""), ("a\nb\u202e", ""),
    ]  # fmt: skip


def tarred(path: Path, outside: Path) -> None:
    """Members of every kind, beside those that torch's oldest form has."""
    with tarfile.open(path, "w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            add(archive, name, pickle.dumps(0))
        for name, target in members(outside):
            info = tarfile.TarInfo(name)
            if target:
                info.type, info.linkname = (tarfile.LNKTYPE if name == "hard" else tarfile.SYMTYPE), target
                archive.addfile(info)
            else:
                add(archive, name, b"escaped")
        device = tarfile.TarInfo("device")
        device.type, device.devmajor, device.devminor = tarfile.CHRTYPE, 1, 3
        archive.addfile(device)


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def zipped(path: Path, outside: Path, inner: str = "") -> None:
    """The parts of a file of torch, and members of every kind, in the folder of those parts (`inner`) or beside it."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts(torch.zeros(8)).items():
            archive.writestr(name, content)
        for name, target in members(outside):
            info = zipfile.ZipInfo(inner + (name or "/"))
            info.external_attr = (0o120777 if target else 0o100644) << 16
            archive.writestr(info, target or "escaped")


def parts(tensor: torch.Tensor) -> dict[str, bytes]:
    """The members of what torch.save makes of {"w": tensor}."""
    made = io.BytesIO()
    torch.save({"w": tensor}, made)
    with zipfile.ZipFile(made) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def traps(here: Path, outside: Path) -> list[Command]:
    """Commands that are given such an archive, wherever a file of weights or data can be named."""
    tarred(here / "a.tar", outside)
    (here / "a.tar.gz").write_bytes(gzip.compress((here / "a.tar").read_bytes()))
    zipped(here / "a.zip", outside)
    zipped(here / "inner.zip", outside, inner="archive/")
    for ending in ("pt", "csv", "txt", "parquet", "safetensors"):
        shutil.copyfile(here / "a.zip", here / f"zip.{ending}")
        shutil.copyfile(here / "a.tar", here / f"tar.{ending}")
    (here / "images").mkdir()
    for number, label in enumerate(("cat", "dog")):
        (here / "images" / label).mkdir()
        shutil.copyfile(here / f"a.{('zip', 'tar')[number]}", here / "images" / label / "1.png")
    found: list[Command] = [("import", name, "out.safetensors") for name in ("a.tar", "a.tar.gz", "a.zip", "inner.zip", "zip.pt", "tar.pt")]
    for kind in ("zip", "tar"):
        found += [("train", "tabular", f"data.path={kind}.{ending}", "data.target=y", "--out", "out") for ending in ("csv", "parquet")]
        found += [("train", "text", f"data.path={kind}.txt", "--out", "out"), ("look", f"{kind}.csv"), ("look", f"{kind}.txt")]
        found += [("train", "digits", "steps=1", "--from", f"{kind}.safetensors", "--out", "out")]
        found += [("predict", "run", f"{kind}.csv"), ("evaluate", "run", f"data.path=a.{kind}")]
    found += [("train", "images", "data.path=images", "--out", "out"), ("train", "images", "data.path=a.zip", "--out", "out")]
    return found


@pytest.mark.slow
def test_nothing_is_written_outside(tmp_path: Path) -> None:
    here, outside = tmp_path / "here" / "below", tmp_path / "outside"
    here.mkdir(parents=True)
    outside.mkdir()
    (outside / "victim").write_text("as it was")
    assert inside("train", jobs.write(here, "mlp", steps=6), "--out", "run", cwd=here).code == 0
    commands = traps(here, outside)
    before, failures = tree(tmp_path), []
    for words in commands:
        ended = inside(*words, cwd=here)
        read = words[1] == "inner.zip" and ended.code == 0  # to torch a member that it is not asked for is nothing
        if read:
            (here / "out.safetensors").unlink()
        if changed := sorted(set(tree(tmp_path).items()) ^ set(before.items())):
            failures.append(f"{words}: {changed[:3]}")
            before = tree(tmp_path)
        elif wrong := unclear(ended, codes=(0,) if read else (2, 3)):
            failures.append(f"{words}: {wrong}")
    settle("S04", len(commands), failures, archives_that_name_places_outside=len(commands))


# ---- bombs ----


def _zeros(count: int) -> bytes:
    """`count` zeros as a raw deflate stream, without ever having them all."""
    packer, block = zlib.compressobj(9, wbits=-15), bytes(1 << 20)
    return b"".join([*(packer.compress(block) for _ in range(count >> 20)), packer.flush()])


def archive(path: Path, members: dict[str, bytes], bombs: dict[str, tuple[bytes, int]]) -> None:
    """A zip of stored members, and of others that are given packed already: (deflate stream, size that it would have)."""
    body, directory = b"", b""
    rows = [(name, content, 0, len(content), zlib.crc32(content)) for name, content in members.items()]
    rows += [(name, stream, 8, length, 0) for name, (stream, length) in bombs.items()]
    for name, content, method, length, crc in rows:
        at, raw = len(body), name.encode()
        fixed = struct.pack("<HHHHHIIIHH", 20, 0, method, 0, 0x21, crc, len(content), length, len(raw), 0)
        body += b"PK\3\4" + fixed + raw + content
        directory += b"PK\1\2" + struct.pack("<H", 20) + fixed + struct.pack("<HHHII", 0, 0, 0, 0, at) + raw
    end = struct.pack("<HHHHIIH", 0, 0, len(rows), len(rows), len(directory), len(body), 0)
    path.write_bytes(body + directory + b"PK\5\6" + end)


def overlapping(path: Path, count: int) -> None:
    """A zip whose members are all the same stored bytes."""
    whole, body, directory = parts(torch.zeros(1 << 18)), b"", b""
    for name, raw in whole.items():
        data = name.endswith("data/0")
        at = len(body)
        for number in range(count if data else 1):
            called = (name[:-1] + str(number) if data else name).encode()
            fixed = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0x21, zlib.crc32(raw), len(raw), len(raw), len(called), 0)
            if not number:
                body += b"PK\3\4" + fixed + called + raw
            directory += b"PK\1\2" + struct.pack("<H", 20) + fixed + struct.pack("<HHHII", 0, 0, 0, 0, at) + called
    total = len(whole) + count - 1
    path.write_bytes(body + directory + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, total, total, len(directory), len(body), 0))


def png(path: Path, side: int) -> None:
    """A grey picture of side x side zeros."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    packer, row = zlib.compressobj(9), bytes(1 + side)
    stream = b"".join([*(packer.compress(row) for _ in range(side)), packer.flush()])
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", stream) + chunk(b"IEND", b""))


def array_file(shape: tuple[int, ...]) -> bytes:
    """The head of a .npy file of bytes of that shape, and four of them."""
    made = io.BytesIO()
    np.lib.format.write_array_header_1_0(made, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return made.getvalue() + b"\0\0\0\0"


def packed_weights(here: Path, zeros: bytes) -> Command:
    whole = parts(torch.zeros(8))
    data = next(name for name in whole if name.endswith("data/0"))
    archive(here / "a.pt", {name: raw for name, raw in whole.items() if name != data}, {data: (zeros, BOMB >> 20 << 20)})
    return "import", "a.pt", "out.safetensors"


def packed_pickle(here: Path, zeros: bytes) -> Command:
    whole = parts(torch.zeros(8))
    text = next(name for name in whole if name.endswith("data.pkl"))
    archive(here / "a.pt", {name: raw for name, raw in whole.items() if name != text}, {text: (zeros, BOMB >> 20 << 20)})
    return "import", "a.pt", "out.safetensors"


def overlapping_weights(here: Path, zeros: bytes) -> Command:
    overlapping(here / "a.pt", BOMB >> 20)
    return "import", "a.pt", "out.safetensors"


def one_number(here: Path, zeros: bytes) -> Command:
    torch.save({"w": torch.zeros(1).expand(BOMB // 4)}, here / "a.pt")
    return "import", "a.pt", "out.safetensors"


def one_storage(here: Path, zeros: bytes) -> Command:
    whole = torch.zeros(1 << 18)
    torch.save({f"w{number}": whole.view(-1) for number in range(BOMB >> 20)}, here / "a.pt")
    return "import", "a.pt", "out.safetensors"


def one_storage_in_the_old_form(here: Path, zeros: bytes) -> Command:
    whole = torch.zeros(1 << 18)
    torch.save({f"w{n}": whole.view(-1) for n in range(BOMB >> 20)}, here / "a.pth", _use_new_zipfile_serialization=False)
    return "import", "a.pth", "out.safetensors"


def a_size_that_lies(here: Path, zeros: bytes) -> Command:
    torch.save({"w": torch.zeros(8)}, here / "a.pth", _use_new_zipfile_serialization=False)
    raw = (here / "a.pth").read_bytes()
    (here / "a.pth").write_bytes(raw[:-40] + struct.pack("<q", 1 << 40) + raw[-32:])
    return "import", "a.pth", "out.safetensors"


def no_numbers(here: Path, zeros: bytes) -> Command:
    side = 1 << 30
    torch.save({"w": torch.sparse_coo_tensor(torch.zeros(2, 0, dtype=torch.long), torch.zeros(0), (side, side))}, here / "a.pt")
    return "import", "a.pt", "out.safetensors"


def packed_images(here: Path, zeros: bytes) -> Command:
    rows = array_file((4,))
    archive(here / "train.npz", {"offset.npy": rows, "label.npy": rows}, {"blob.npy": (zeros, BOMB >> 20 << 20)})
    return "decode", "train.npz"


def a_shape_that_lies(here: Path, zeros: bytes) -> Command:
    archive(here / "train.npz", {name: array_file((1 << 45,)) for name in ("blob.npy", "offset.npy", "label.npy")}, {})
    return "decode", "train.npz"


def gzipped(here: Path, zeros: bytes) -> Command:
    head = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
    (here / "a.gz").write_bytes(head + zeros + bytes(8))
    return "read_idx", "a.gz"


def large_images(here: Path, zeros: bytes) -> Command:
    for label, side in (("cat", 9_600), ("dog", 13_300)):
        (here / "images" / label).mkdir(parents=True)
        for number in range(3):
            png(here / "images" / label / f"{number}.png", side)
    return "train", "images", "data.path=images", "--out", "out"


BOMBS: list[Callable[[Path, bytes], Command]] = [
    packed_weights, packed_pickle, overlapping_weights, one_number, one_storage, one_storage_in_the_old_form, a_size_that_lies, no_numbers,
    packed_images, a_shape_that_lies, gzipped, large_images,
]  # fmt: skip

READ = """
import contextlib, io, json, os, sys, time
from pathlib import Path
import torch
from danlu.cli.main import main
from danlu.data import cifar, image_folder, mnist
from danlu.data.image_pixels import pillow
from danlu.errors import Trouble
from danlu.use import import_weights

def most():
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024

def function(read, path):
    try:
        read(Path(path))
        return 0
    except Trouble as trouble:
        print(f"danlu: {trouble}")
        return trouble.code

for folder, words in json.loads(Path("commands.json").read_text()):
    os.chdir(folder)
    before, began, text = most(), time.monotonic(), io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        own = {"decode": cifar.decode, "read_idx": mnist.read_idx}.get(words[0])
        code = function(own, words[1]) if own else main(words)
    print(json.dumps([code, text.getvalue(), time.monotonic() - began, most() - before]), flush=True)
"""


@pytest.mark.slow
def test_bombs(tmp_path: Path) -> None:
    pytest.importorskip("PIL", reason="pillow is not installed")
    zeros, commands, failures = _zeros(BOMB), [], []
    chosen = BOMBS if FULL else [packed_weights, packed_pickle, one_number, packed_images, gzipped]
    for make in chosen:
        (tmp_path / make.__name__).mkdir()
        commands.append((str(tmp_path / make.__name__), make(tmp_path / make.__name__, zeros)))
    (tmp_path / "commands.json").write_text(json.dumps(commands))
    before = tree(tmp_path)
    process = measured("-c", READ, cwd=tmp_path, patience=size(60, 300))
    lines: list[list[Any]] = [json.loads(line) for line in process.text.splitlines() if line.startswith("[")]
    if process.code or len(lines) != len(chosen):
        failures.append(f"after {len(lines)} of {len(chosen)}: exit code {process.code}: {process.text[-300:]}")
    for make, (code, text, seconds, memory) in zip(chosen, lines):
        if code != 2 or "danlu: " not in text or "Traceback" in text or "Warning" in text:
            failures.append(f"{make.__name__}: exit code {code}: {text[-300:]}")
        elif memory > GROWTH or seconds > 20:
            failures.append(f"{make.__name__}: {memory / 1e6:.0f} MB, {seconds:.1f} s")
    changed = set(tree(tmp_path).items()) ^ set(before.items())
    failures += [f"changed: {name}" for name, _ in changed if name != "measured"]
    most = max((line[3] for line in lines), default=0)
    settle("S04", len(chosen), failures, bombs=len(chosen), most_MB_beyond_the_start=most / 1e6)
