"""Lines of JSON that survive crashes: `metrics.jsonl` (one line of numbers a logged step) and `events.jsonl` (what happened).

Numbers may be tensors; they stay on their device until a flush, which reads all of them at once. A number that is not finite is written
as null and its name is listed under "nonfinite", so every line is JSON. A line that a crash tore is taken out when the file is opened to
go on.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from danlu.run import durable


class Log:
    """A file of JSON lines, written to its end only.

    keep: which of the lines that are there stay (all that are whole, unless given).
    """

    def __init__(self, path: Path, keep: Callable[[dict[str, Any]], bool] = lambda line: True):
        _repair(path, keep)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        self._handle = os.open(path, flags, 0o600)
        self._lines: list[dict[str, Any]] = []

    def add(self, **values: Any) -> None:
        """Remember a line; tensors in it are read at the next flush and must not change until then."""
        self._lines.append(values)

    def flush(self) -> None:
        """Write what was added, one write for all of it."""
        if not self._lines:
            return
        lines, self._lines = _read_tensors(self._lines), []
        text = "".join(json.dumps(_clean(line), ensure_ascii=False, allow_nan=False) + "\n" for line in lines)
        view = memoryview(text.encode(errors="backslashreplace"))
        while len(view):
            view = view[os.write(self._handle, view) :]

    def sync(self) -> None:
        """Flush, and make it durable."""
        self.flush()
        os.fsync(self._handle)

    def close(self) -> None:
        if self._handle >= 0:
            try:
                self.flush()
            finally:
                os.close(self._handle)
                self._handle = -1


class Events(Log):
    """What happened, when: written at once."""

    def tell(self, event: str, step: int, **values: Any) -> None:
        self.add(time=datetime.now().astimezone().isoformat(timespec="seconds"), step=step, event=event, **values)
        self.flush()


def read(path: Path) -> list[dict[str, Any]]:
    """Every whole line of the file, in order; none when there is no file."""
    return [line for _, line in _lines(path)]


def columns(lines: list[dict[str, Any]]) -> dict[str, tuple[list[int], list[float]]]:
    """For each numeric name but the step: the steps that have it and its values; null (not finite) is NaN."""
    found: dict[str, tuple[list[int], list[float]]] = {}
    for line in lines:
        for name, value in line.items():
            if name != "step" and (value is None or (isinstance(value, int | float) and not isinstance(value, bool))):
                places, values = found.setdefault(name, ([], []))
                places.append(line.get("step", 0))
                values.append(math.nan if value is None else value)
    return found


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """`values` as JSON has them: numbers for 0-d tensors, null for what is not finite, and the names of these under "nonfinite"."""
    return _clean(_read_tensors([values])[0])


def _clean(values: dict[str, Any]) -> dict[str, Any]:
    bad: list[str] = []
    clean = {key: _finite(value, key, bad) for key, value in values.items()}
    return {**clean, "nonfinite": bad} if bad else clean


def _finite(value: Any, name: str, bad: list[str]) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        bad.append(name)
        return None
    if isinstance(value, dict):
        return {str(key): _finite(item, f"{name}.{key}", bad) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item, name, bad) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _read_tensors(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines with plain numbers instead of 0-d tensors: one read for each device and type, however many there are."""
    kinds: dict[Any, list[tuple[int, str, Tensor]]] = {}
    for place, line in enumerate(lines):
        for name, value in line.items():
            if isinstance(value, Tensor) and value.numel() == 1:
                kinds.setdefault((value.device, value.dtype), []).append((place, name, value.detach().reshape(())))
    plain = [
        {name: value.tolist() if isinstance(value, Tensor) and value.numel() != 1 else value for name, value in line.items()}
        for line in lines
    ]
    for (_, dtype), found in kinds.items():
        for (place, name, _), number in zip(found, torch.stack([value for _, _, value in found]).tolist()):
            # nine digits are all a float32 has; the rest would be the noise of writing it as a double
            short = isinstance(number, float) and dtype != torch.float64 and math.isfinite(number)
            plain[place][name] = float(f"{number:.9g}") if short else number
    return plain


def _lines(path: Path) -> Iterator[tuple[bytes, dict[str, Any]]]:
    if not path.exists():
        return
    with open(path, "rb") as file:
        for raw in file:
            try:
                line = json.loads(raw)
            except ValueError:
                continue
            if raw.endswith(b"\n") and isinstance(line, dict):
                yield raw, line


def _repair(path: Path, keep: Callable[[dict[str, Any]], bool]) -> None:
    kept = b"".join(raw for raw, line in _lines(path) if keep(line))
    if path.exists() and path.stat().st_size != len(kept):
        durable.replace(path, kept.decode())
