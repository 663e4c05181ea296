"""A tree of plain values and tensors as JSON plus named tensors, and back, bit for bit. Nothing is pickled.

What JSON has no word for is an object with one key that starts with `$`: `{"$tensor": ["state", name]}` names a tensor of the file
`state.safetensors`, `{"$tuple": [...]}`, `{"$dict": [[key, value], ...]}` (keys that are not all plain strings), `{"$float": "inf"}`;
`{"$strided": [tensor, strides]}` is a tensor whose elements lay in another order, which decides the last bit of a matrix product.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from danlu import messages
from danlu.errors import BadInput

# The types every safetensors reader knows; any other is stored as its bytes, with its type and shape beside the name.
PORTABLE = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64", torch.int32: "I32",
    torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip

Files = dict[str, dict[str, Tensor]]


class Encoder:
    """Collects the tensors of one tree. `files` maps a file ("model", "state") to its tensors by name."""

    def __init__(self) -> None:
        self.files: Files = {"model": {}, "state": {}}
        self._known: dict[Any, dict[str, Any]] = {}  # a tensor that is in the tree twice is stored once

    def encode(self, value: Any, path: tuple[str, ...] = ()) -> Any:
        """`value` as JSON. Raises BadInput with the path of what is neither plain nor a dense tensor."""
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {"$float": repr(float(value))}
        if isinstance(value, Tensor):
            return self._tensor(value, path)
        if isinstance(value, dict):
            if all(isinstance(key, str) and not key.startswith("$") for key in value):
                return {key: self.encode(item, (*path, key)) for key, item in value.items()}
            return {"$dict": [[self.encode(key, path), self.encode(item, (*path, str(key)))] for key, item in value.items()]}
        if type(value) is list:
            return [self.encode(item, (*path, str(place))) for place, item in enumerate(value)]
        if type(value) is tuple:
            return {"$tuple": [self.encode(item, (*path, str(place))) for place, item in enumerate(value)]}
        raise BadInput(messages.CANNOT_SAVE, path="/".join(path), kind=type(value).__name__)

    def _tensor(self, value: Tensor, path: tuple[str, ...]) -> dict[str, Any]:
        value = value.detach()
        if type(value) is not Tensor or value.layout != torch.strided or value.is_quantized or value.is_meta:
            raise BadInput(messages.CANNOT_SAVE, path="/".join(path), kind=f"{type(value).__name__}, {value.layout}, {value.dtype}")
        same = (value.data_ptr(), value.dtype, value.device, value.shape, value.stride(), value.is_conj(), value.is_neg())
        if same not in self._known:
            stored = self._store(value.resolve_conj().resolve_neg(), path)
            self._known[same] = {"$strided": [stored, list(value.stride())]} if _permuted(value) else stored
        return self._known[same]

    def _store(self, value: Tensor, path: tuple[str, ...]) -> dict[str, Any]:
        logical = len(path) == 2 and path[0] == "model" and path[1] != "__metadata__"
        file, name = ("model", path[1]) if logical else ("state", "/".join(path))
        base, tries = name, 1
        while name in self.files[file] or name == "__metadata__":
            tries += 1
            name = f"{base}#{tries}"
        if value.dtype in PORTABLE:
            self.files[file][name] = value
            return {"$tensor": [file, name]}
        self.files[file][name] = raw(value)
        return {"$tensor": [file, name, str(value.dtype).removeprefix("torch."), list(value.shape)]}


def _permuted(value: Tensor) -> bool:
    """Whether its elements fill their memory, each once, in another order than that of its dimensions."""
    if value.is_contiguous():
        return False
    filled = 1
    for stride, size in sorted((stride, size) for stride, size in zip(value.stride(), value.shape) if size != 1):
        if stride != filled:
            return False
        filled *= size
    return True


def raw(value: Tensor) -> Tensor:
    """The bytes of a tensor on the CPU, in the order of its elements: [bytes] uint8; a view where it can be."""
    flat = value.cpu().contiguous().reshape(-1)
    return flat.as_strided(flat.shape, (1,)).view(torch.uint8)  # a tensor of one element may keep any stride, which `view` minds


def decode(value: Any, files: Files) -> Any:
    """What `Encoder.encode` was given. Raises ValueError or KeyError when `value` was not made by it."""
    if isinstance(value, list):
        return [decode(item, files) for item in value]
    if not isinstance(value, dict):
        return value
    tag = next(iter(value), "")
    if not tag.startswith("$"):
        return {key: decode(item, files) for key, item in value.items()}
    inside = value[tag]
    if tag == "$tensor":
        return _tensor(files, *inside)
    if tag == "$strided":
        tensor, strides = decode(inside[0], files), inside[1]
        return torch.empty_strided(tensor.shape, strides, dtype=tensor.dtype).copy_(tensor)
    if tag == "$tuple":
        return tuple(decode(item, files) for item in inside)
    if tag == "$dict":
        return {decode(key, files): decode(item, files) for key, item in inside}
    if tag == "$float":
        return float(inside)
    raise ValueError(tag)


def _tensor(files: Files, file: str, name: str, dtype: str = "", shape: tuple[int, ...] = ()) -> Tensor:
    value = files[file][name]
    if not dtype:
        return value
    kind = getattr(torch, dtype)
    if not isinstance(kind, torch.dtype):
        raise ValueError(dtype)
    return value.view(kind).reshape(shape)
