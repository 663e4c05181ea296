"""The field's old weight files, pickled by torch, as safetensors. This is the one place that opens a pickle, and it executes nothing."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import re
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from danlu import messages
from danlu.errors import BadInput, Trouble
from danlu.packed import check_stored
from danlu.run import durable

NESTED = ("state_dict", "model_state_dict", "model", "module", "weights", "net")  # where trainers keep the weights among other things
PREFIXES = ("_orig_mod.", "module.")  # of torch.compile and of data-parallel wrappers
GROWTH = 16  # times the file's bytes, which tied weights, each written under all of its names, stay far below
SMALL = 1 << 26  # bytes that any file may become
_TORCHS_ADVICE = re.compile(r"In PyTorch 2\.6|Re-running `torch.load`|Check the documentation|\(Could this error|Please file an issue")


@dataclass(frozen=True)
class Imported:
    """tensors: how many were written. inside: the keys that were gone into. prefix: what was taken off every name. left: keys left out."""

    path: Path
    tensors: int
    inside: tuple[str, ...]
    prefix: str
    left: tuple[str, ...]


def import_weights(source: str | Path, out: str | Path) -> Imported:
    """Write the tensors of a .pt, .pth, .bin or .ckpt file as safetensors, read with `weights_only=True`.

    Raises BadInput for a file that is not there, is no file of torch, holds anything that would have to be executed, or would grow beyond
    measure when it is unpacked (`danlu.packed`) or written, and where `out` exists or is no .safetensors.
    """
    source, path = Path(source).expanduser(), Path(out).expanduser()
    if path.suffix.lower() != ".safetensors":
        raise BadInput(messages.IMPORT_OUT, path=path)
    if os.path.lexists(path):
        raise BadInput(messages.OUT_EXISTS, path=path)
    inside, found = _inside(_read(source))
    tensors = {str(name): value for name, value in found.items() if isinstance(value, Tensor)}
    left = tuple(str(name) for name in found if str(name) not in tensors)
    if not tensors:
        raise BadInput(messages.IMPORT_NO_TENSORS, path=source, keys=", ".join(map(str, list(found)[:20])) or "-")
    _check(source, tensors)
    prefix = ""
    while cut := next((p for p in PREFIXES if all(name.startswith(prefix + p) for name in tensors)), None):
        prefix += cut
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    new = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(durable.fresh(new))
        save_file(
            {name.removeprefix(prefix): value.detach().clone().contiguous() for name, value in tensors.items()}, new, {"format": "pt"}
        )
        new.rename(path)
    except KeyError as error:  # a dtype that it has no name for
        name = next((name for name, value in tensors.items() if value.dtype == error.args[0]), "-")
        raise BadInput(messages.IMPORT_KIND, path=source, name=name, kind=error.args[0]) from error
    except (OSError, SafetensorError) as error:
        raise BadInput(messages.RUN_CANNOT_WRITE, folder=path, reason=getattr(error, "strerror", None) or error) from error
    finally:
        with contextlib.suppress(OSError):
            new.unlink()
    return Imported(path, len(tensors), inside, prefix, left)


def _read(source: Path) -> Any:
    if not source.is_file():
        raise BadInput(messages.IMPORT_NO_FILE, path=source)
    try:
        with source.open("rb") as file:
            zipped = file.read(4) == b"PK\3\4"  # what torch itself goes by
        if zipped:
            check_stored(source)
        with warnings.catch_warnings(action="ignore"):  # of torch, on files of its own older forms
            # mapped, so that no number is taken into memory before it is known what for
            return torch.load(source, map_location="cpu", weights_only=True, mmap=zipped)
    except Trouble:
        raise
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL (\S+)", str(error))
        if named is None:
            raise BadInput(messages.IMPORT_BROKEN, path=source, reason=_reason(error)) from error
        raise BadInput(messages.IMPORT_EXECUTES, path=source, name=named[1]) from error
    except Exception as error:  # torch and its readers raise many kinds for files that are cut short or made up
        raise BadInput(messages.IMPORT_BROKEN, path=source, reason=_reason(error)) from error


def _reason(error: Exception) -> str:
    """What torch has against the file, without its advice, which is to load it unsafely."""
    text = str(error)
    text = _TORCHS_ADVICE.split(text.partition("WeightsUnpickler error:")[2] or text)[0]
    return " ".join(text.split())[:200] or type(error).__name__


def _check(source: Path, tensors: Mapping[str, Tensor]) -> None:
    """Raises BadInput for a tensor that safetensors cannot hold, and for numbers that are there too often."""
    for name, value in tensors.items():
        if value.layout != torch.strided or value.is_quantized or value.is_meta:
            raise BadInput(messages.IMPORT_KIND, path=source, name=name, kind=f"{value.layout}, {value.dtype}, {value.device}")
    size, found = sum(value.numel() * value.element_size() for value in tensors.values()), source.stat().st_size
    if size > max(SMALL, GROWTH * found):
        raise BadInput(messages.IMPORT_GROWS, path=source, size=size, found=found)


def _inside(found: Any) -> tuple[tuple[str, ...], Mapping[Any, Any]]:
    """The mapping that holds the tensors, and the keys that lead to it; a lone tensor is named `tensor`."""
    if isinstance(found, Tensor):
        return (), {"tensor": found}
    keys: list[str] = []
    while isinstance(found, Mapping) and not any(isinstance(value, Tensor) for value in found.values()):
        key = next((key for key in NESTED if isinstance(found.get(key), Mapping)), None)
        if key is None:
            break
        keys.append(key)
        found = found[key]
    return tuple(keys), found if isinstance(found, Mapping) else {}


def _main(source: str, out: str) -> None:
    """One import, and what came of it as JSON on the standard output: for `danlu.use.apart`."""
    try:
        made = import_weights(source, out)
        answer: dict[str, Any] = {"made": [made.tensors, made.inside, made.prefix, made.left]}
    except Trouble as trouble:
        answer = {"trouble": [*trouble.sentence], "values": {name: str(value) for name, value in trouble.values.items()}}
    print(json.dumps(answer))


if __name__ == "__main__":
    _main(*sys.argv[1:])
