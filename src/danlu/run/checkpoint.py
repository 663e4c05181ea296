"""Checkpoints that exist whole or not at all.

The commit: write `step-N.tmp/`, each file synced; `manifest.json` with size and SHA-256 of every file, synced; rename to `step-N`; sync
the parent; move `latest` (and `best`), which are files; only then delete what is no longer kept. A folder without a valid manifest is no
checkpoint.
Tensors are safetensors (`model.safetensors` has the model's by their own names, for any other tool), the rest is JSON; nothing is pickled.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from danlu import messages
from danlu.errors import DAMAGED, BadInput, NoSpace, Sentence, say
from danlu.run import durable
from danlu.run.migrate import migrated
from danlu.run.tree import PORTABLE, Encoder, Files, decode, raw

FORMAT = 3
_NAME = re.compile(r"step-(\d+)")
_LARGE = 1 << 26  # bytes
_LONGEST_MANIFEST = 1 << 24  # bytes; ours have a few hundred
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Broken(BadInput):
    """A folder that is no valid checkpoint: something in it is missing, changed or unknown."""

    code = DAMAGED


@dataclass
class Image:
    """A state as it will lie on disk: tensors by file and name, and the JSON texts. Taking it copies no tensor."""

    files: Files
    texts: dict[str, str]

    @property
    def needed(self) -> int:
        """Bytes on disk."""
        return sum(len(text.encode()) for text in self.texts.values()) + sum(
            t.nbytes for file in self.files.values() for t in file.values()
        )

    def copied(self, into: Files | None = None) -> Image:
        """The same with tensors of its own on the CPU, which nobody else moves; those in `into` are written over where they fit."""
        return Image(
            {file: {k: _copied(t, (into or {}).get(file, {}).get(k)) for k, t in ts.items()} for file, ts in self.files.items()}, self.texts
        )

    def room(self) -> Files:
        """Tensors of these sizes for `copied` to write over. Each is written to, since the system gives memory only then, and slowly."""
        return {file: {k: torch.empty(t.shape, dtype=t.dtype).fill_(0) for k, t in tensors.items()} for file, tensors in self.files.items()}


def image(state: Any, extra: Mapping[str, Any] | None = None) -> Image:
    """`state` (plain values and tensors in dicts, lists, tuples) ready to be written. extra: JSON values, each a file `name.json`."""
    encoder = Encoder()
    plain = encoder.encode(state)
    return Image(encoder.files, {name: json.dumps(value, allow_nan=False) for name, value in {"state": plain, **(extra or {})}.items()})


def write(
    taken: Image, checkpoints: Path, step: int, *, best: bool = False, keep: int = 2, stays: Callable[[int], bool] = lambda step: False
) -> Path:
    """Save what `image` took as `checkpoints/step-N`, durable when this returns.

    best: name it in the file `best`, too. keep, stays: what is kept beside it, see `prune`.
    Raises NoSpace when it could not be written; then nothing of it is left, and what was saved before is untouched.
    """
    new, folder = checkpoints / f"step-{step}.tmp", checkpoints / f"step-{step}"
    try:
        checkpoints.mkdir(mode=0o700, exist_ok=True)
        recover(checkpoints)
        new.mkdir(mode=0o700)
        durable.write(new / "manifest.json", [_manifest(step, _written(new, taken), best)])
        durable.sync_folder(new)
        _commit(new, folder)
        durable.replace(checkpoints / "latest", f"{folder.name}\n")
        if best:
            durable.replace(checkpoints / "best", f"{folder.name}\n")
    except OSError as error:
        with contextlib.suppress(OSError):
            recover(checkpoints)
        raise no_space(error, checkpoints, taken.needed) from error
    prune(checkpoints, step, keep, stays)
    return folder


def read(folder: Path, *, verified: bool = False) -> Any:
    """The state saved in `folder`, after every byte of it was checked (unless that was done just now). Raises Broken."""
    from safetensors.torch import load_file

    form = _read_manifest(folder)["format"] if verified else verify(folder)["format"]
    try:
        # cloned, so that nothing is mapped from a file that may be deleted
        files = {name: {key: t.clone() for key, t in load_file(folder / f"{name}.safetensors").items()} for name in ("model", "state")}
        return migrated(decode(json.loads((folder / "state.json").read_text(encoding="utf-8")), files), form, FORMAT)
    except Exception as error:  # the digests hold, so it was written so: by another version, or by somebody else
        raise Broken(messages.CHECKPOINT_UNREADABLE, folder=folder, file="state.json", found=f"{type(error).__name__}: {error}") from error


def extra(folder: Path, name: str, default: Any = None) -> Any:
    """The JSON value that was saved beside the state as `name`, or `default`. Only after `verify`."""
    path = folder / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else default


def export(tensors: Mapping[str, Tensor], path: Path) -> str:
    """Write named tensors as the safetensors file `path`, whole or not at all: its SHA-256. Raises OSError."""
    encoder = Encoder()
    encoder.encode({"model": dict(tensors)})
    new = path.with_name(path.name + ".tmp")
    new.unlink(missing_ok=True)
    _, digest = durable.write(new, _safetensors(encoder.files["model"]))
    os.replace(new, path)
    durable.sync_folder(path.parent)
    return digest


def verify(folder: Path, *, bytewise: bool = True) -> dict[str, Any]:
    """Read every byte of a checkpoint and return its manifest; not `bytewise`: only names and sizes. Raises Broken: which file, and why."""
    manifest = _read_manifest(folder)
    if _NAME.fullmatch(folder.name) and folder.name != f"step-{manifest['step']}":
        raise _broken(folder, "manifest.json", messages.FILE_OF_STEP, step=manifest["step"])
    for name, (size, digest) in manifest["files"].items():
        path = folder / name
        try:
            if path.name != name or not stat.S_ISREG(os.lstat(path).st_mode):
                raise _broken(folder, name, messages.FILE_NOT_PLAIN)
            found, now = durable.read(path) if bytewise else (path.stat().st_size, digest)
        except (OSError, ValueError) as error:  # ValueError: a name that no file can have
            raise _broken(folder, name, messages.FILE_UNREADABLE, reason=getattr(error, "strerror", error)) from error
        if found != size:
            raise _broken(folder, name, messages.FILE_SIZE, found=found, size=size)
        if now != digest:
            raise _broken(folder, name, messages.FILE_CHANGED)
    return manifest


def newest_valid(checkpoints: Path) -> tuple[Path | None, list[Broken]]:
    """The newest checkpoint that is whole (None: there is none), and why each newer one was passed over."""
    passed_over = []
    for step in reversed(steps(checkpoints)):
        folder = checkpoints / f"step-{step}"
        try:
            verify(folder)
        except Broken as reason:
            passed_over.append(reason)
        else:
            return folder, passed_over
    return None, passed_over


def steps(checkpoints: Path) -> list[int]:
    """The steps that have a checkpoint folder, ascending; whether each is whole, `verify` says."""
    if not checkpoints.is_dir():
        return []
    return sorted(int(match[1]) for path in checkpoints.iterdir() if (match := _NAME.fullmatch(path.name)))


def named(checkpoints: Path, name: str) -> Path | None:
    """The checkpoint that the file `latest` or `best` names, or None."""
    try:
        target = (checkpoints / name).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
    return checkpoints / target if _NAME.fullmatch(target) and (checkpoints / target).is_dir() else None


def recover(checkpoints: Path) -> None:
    """Finish or undo what a crash left: put back a checkpoint that was about to be replaced, delete what was not committed."""
    for path in checkpoints.iterdir():
        if path.name.endswith(".old"):
            original = path.with_suffix("")
            shutil.rmtree(path, ignore_errors=True) if original.exists() else os.rename(path, original)
    for path in checkpoints.iterdir():
        if path.name.endswith(".tmp"):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()


def settle(checkpoints: Path, newest: int) -> None:
    """Let `latest` and `best` name what they named when step `newest` had just been saved.

    A crash may have come before they moved; or a newer checkpoint, which they name, is broken and the run goes on without it.
    """
    best = next((step for step in reversed(steps(checkpoints)) if step <= newest and _is_best(checkpoints / f"step-{step}")), None)
    for name, step in (("latest", newest), ("best", best)):
        if step is not None and named(checkpoints, name) != checkpoints / f"step-{step}":
            durable.replace(checkpoints / name, f"step-{step}\n")


def prune(checkpoints: Path, step: int, keep: int, stays: Callable[[int], bool] = lambda step: False) -> None:
    """Delete all but the newest `keep` up to `step`, those whose step `stays`, and the one that `best` names.

    One beyond `step` is of a course that was given up (it was broken).
    """
    past = [s for s in steps(checkpoints) if s <= step]
    kept = {f"step-{s}" for s in past[-max(keep, 1) :] + [s for s in past if stays(s)]}
    best = named(checkpoints, "best")
    for old in steps(checkpoints):
        folder = checkpoints / f"step-{old}"
        if folder.name not in kept and folder != best:
            durable.discard(folder)


def no_space(error: OSError, folder: Path, needed: int) -> NoSpace:
    """The sentence for a write that failed: a full disk with the bytes needed and free, anything else with the system's reason."""
    if error.errno not in _FULL:
        return NoSpace(messages.RUN_CANNOT_WRITE, folder=folder, reason=error.strerror or error)
    return NoSpace(messages.RUN_NO_SPACE, folder=folder, needed=f"{needed:,}", free=f"{shutil.disk_usage(folder.parent).free:,}")


def _copied(tensor: Tensor, old: Tensor | None) -> Tensor:
    if old is None or old.shape != tensor.shape or old.dtype != tensor.dtype:
        old = torch.empty(tensor.shape, dtype=tensor.dtype)
    return old.copy_(tensor)


def _written(new: Path, taken: Image) -> dict[str, tuple[int, str]]:
    """Write the files of an image: the size and digest of each. Large ones are written at once, since hashing one takes a core."""
    pieces = {f"{name}.safetensors": _safetensors(tensors) for name, tensors in taken.files.items()}
    pieces |= {f"{name}.json": iter([text.encode()]) for name, text in taken.texts.items()}
    write = lambda name: durable.write(new / name, pieces[name])
    if taken.needed < _LARGE:
        return {name: write(name) for name in pieces}
    with ThreadPoolExecutor(len(taken.files)) as beside:
        return dict(zip(pieces, beside.map(write, pieces)))


def _commit(new: Path, folder: Path) -> None:
    """Rename `new` to `folder`; one that is there already (saved twice, or broken) steps aside first, and `recover` can put it back."""
    old = folder.with_name(folder.name + ".old")
    if folder.exists():
        os.rename(folder, old)
    os.rename(new, folder)
    durable.sync_folder(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _manifest(step: int, files: dict[str, tuple[int, str]], best: bool) -> bytes:
    body = {"format": FORMAT, "danlu": version("danlu"), "step": step, "files": {name: list(files[name]) for name in sorted(files)}}
    return _sealed({**body, "best": True} if best else body)  # the file `best` moves later: a crash may come between


def _sealed(body: dict[str, Any]) -> bytes:
    """The manifest with a digest of itself as the last entry, in the one spelling that is valid."""
    digest = hashlib.sha256(json.dumps(body).encode()).hexdigest()
    return (json.dumps({**body, "digest": digest}, indent=1) + "\n").encode()


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode) or path.stat().st_size > _LONGEST_MANIFEST:
            raise _broken(folder, path.name, messages.FILE_NOT_PLAIN)
        text = path.read_bytes()
        body = json.loads(text)
        body.pop("digest")
        whole = _sealed(body) == text
        newer = whole and body["format"] > FORMAT
        whole = whole and (newer or _is_manifest(body))  # whoever writes one on purpose gets the digest right, too
    except OSError as error:
        raise _broken(folder, path.name, messages.FILE_UNREADABLE, reason=error.strerror) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _broken(folder, path.name, messages.FILE_CHANGED) from error
    if newer:
        raise Broken(messages.CHECKPOINT_NEWER, folder=folder, found=body["format"], known=FORMAT, danlu=body.get("danlu", "-"))
    if not whole:
        raise _broken(folder, path.name, messages.FILE_CHANGED)
    return body  # type: ignore[no-any-return]


def _is_manifest(body: dict[str, Any]) -> bool:
    files = body["files"]
    return type(body["step"]) is int and all([type(part) for part in file] == [int, str] for file in files.values())


def _is_best(folder: Path) -> bool:
    """Whether the checkpoint was the best so far when it was saved (since there is `settle`; those from before do not say)."""
    try:
        return bool(_read_manifest(folder).get("best"))
    except Broken:
        return False


def _broken(folder: Path, file: str, what: Sentence, **values: Any) -> Broken:
    return Broken(messages.CHECKPOINT_BROKEN, folder=folder, file=file, what=say(what, **values))


def _safetensors(tensors: dict[str, Tensor]) -> Iterator[bytes | memoryview]:
    """A safetensors file in pieces: the header's length, the header, each tensor's bytes, copied from its device one at a time."""
    order = sorted(tensors.items(), key=lambda item: (-item[1].element_size(), item[0]))  # widest first: every tensor is aligned
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, tensor in order:
        header[name] = {"dtype": PORTABLE[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [end, end + tensor.nbytes]}
        end += tensor.nbytes
    text = json.dumps(header, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    yield len(text).to_bytes(8, "little")
    yield text
    for _, tensor in order:
        if tensor.numel():
            yield memoryview(raw(tensor).numpy().data)
