"""Whether the checkpoints of a run are still what was written; nothing is changed by looking."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from danlu.run import checkpoint
from danlu.run.folder import read_json


@dataclass(frozen=True)
class Health:
    """One checkpoint. reason: what is wrong with it, empty when nothing is. names: `latest`, `best` if it is called so. size: bytes."""

    folder: Path
    written: str
    size: int
    names: tuple[str, ...] = ()
    metrics: dict[str, Any] = field(default_factory=dict)
    reason: str = ""

    def facts(self) -> dict[str, Any]:
        """The same as JSON values."""
        step = int(self.folder.name.partition("-")[2])
        return {
            "step": step, "written": self.written, "bytes": self.size, "names": list(self.names), "metrics": self.metrics,
            "whole": not self.reason, "reason": self.reason,
        }  # fmt: skip


def healths(run: Path, *, bytewise: bool) -> list[Health]:
    """Every checkpoint of the run, by step. bytewise: read every byte; else names and sizes. Raises BadInput: there is no run."""
    read_json(run / "recipe.json")
    checkpoints = run / "checkpoints"
    called = {name: checkpoint.named(checkpoints, name) for name in ("latest", "best")}
    return [_health(checkpoints / f"step-{step}", called, bytewise) for step in checkpoint.steps(checkpoints)]


def _health(folder: Path, called: dict[str, Path | None], bytewise: bool) -> Health:
    size, metrics, reason = sum(path.lstat().st_size for path in folder.iterdir()), {}, ""
    try:
        checkpoint.verify(folder, bytewise=bytewise)
    except checkpoint.Broken as found:
        reason = str(found)
    with suppress(OSError, ValueError):
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    written = datetime.fromtimestamp(folder.stat().st_mtime).astimezone().isoformat(sep=" ", timespec="seconds")[:16]
    return Health(folder, written, size, tuple(name for name, path in called.items() if path == folder), metrics, reason)
