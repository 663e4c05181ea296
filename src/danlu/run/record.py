"""`record.json`: with what a run was made, so that it can be understood and repeated: code, packages, data, machine, seed, command, times.

Every start of the run adds an attempt. Values of environment variables are never written: they hold secrets.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

import danlu
from danlu import messages
from danlu.errors import BadInput
from danlu.run import durable
from danlu.run.changes import source_digest
from danlu.run.folder import differences, read_json, safe_name

if TYPE_CHECKING:
    from danlu.core import Run

FORMAT = 1
SOURCES = "sources"


def check_data(folder: Path, run: Run) -> None:
    """Refuse to go on with other data than the run began with. Raises BadInput with the difference."""
    if (folder / "record.json").exists():
        before = read_json(folder / "record.json").get("data", {})
        if found := differences(before, json.loads(json.dumps(data_facts(run)))):
            raise BadInput(messages.OTHER_DATA, folder=folder, difference="\n".join(found))


def check_ancestry(folder: Path, start: str | None) -> None:
    """Refuse to go on with a run that began from other weights than `start`, if that says any. Raises BadInput."""
    if start and (folder / "record.json").exists():
        before = (read_json(folder / "record.json").get("ancestry") or {}).get("source", "-")
        if before != start:
            raise BadInput(messages.FROM_OTHER, folder=folder, before=before, now=start)


def attempts(folder: Path) -> list[dict[str, Any]]:
    """The starts of the run so far, the newest last."""
    return read_json(folder / "record.json").get("attempts", []) if (folder / "record.json").exists() else []


def attempt(folder: Path, run: Run, command: Sequence[str] | None, sources: Mapping[str, str]) -> dict[str, Any]:
    """This start of the run. sources: text of the user's files by path; they are kept in `sources/`."""
    found = {"started": now(), "step": run.step, "command": list(command or []), **environment(run.placement.device)}
    if sources:
        found["sources"] = [_keep(folder / SOURCES, Path(origin), text) for origin, text in sources.items()]
    return found


def write(folder: Path, run: Run, name: str, attempt: Mapping[str, Any], ancestry: Mapping[str, Any] | None = None) -> None:
    """Add this start of the run to `folder/record.json`. ancestry: where the weights came from, for a run that started from some."""
    path = folder / "record.json"
    if path.exists():
        record = {**read_json(path), "steps": run.total}
    else:
        parameters = {id(p): p.numel() for p in run.model.parameters()}
        trainable = {id(p): p.numel() for p in run.trainable()}
        record = {
            "format": FORMAT,
            "name": name,
            "created": now(),
            "seed": run.seed,
            "steps": run.total,
            "steps_per_epoch": run.plan.steps_per_epoch,
            "parameters": sum(parameters.values()),
            "trainable": sum(trainable.values()),
            "data": data_facts(run),
            **({"ancestry": ancestry} if ancestry else {}),
            "attempts": [],
        }
    record["attempts"].append(attempt)
    durable.replace(path, json.dumps(record, ensure_ascii=False, indent=1) + "\n")


def data_facts(run: Run) -> dict[str, Any]:
    """What tells this data from other data: its fingerprint, the rows of each split, and its facts."""
    splits = {"train": run.data.train, "val": run.data.val, "test": run.data.test}
    return {
        "fingerprint": run.data.fingerprint,
        "rows": {name: None if rows is None else len(rows) for name, rows in splits.items()},
        "facts": asdict(run.data.facts),
    }


def environment(device: torch.device) -> dict[str, Any]:
    """The code, the packages and the machine, without anything from environment variables."""
    return {
        "danlu": metadata.version("danlu"),
        "source": source_digest(),
        "code": {"danlu": revision(Path(danlu.__path__[0])), "here": revision(Path.cwd())},
        "python": platform.python_version(),
        "packages": {name: package.version for package in metadata.distributions() if (name := package.metadata["Name"])},
        "host": socket.gethostname(),
        "system": platform.platform(),
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": device_facts(device),
    }


def revision(folder: Path) -> dict[str, Any] | None:
    """The git commit of a folder and whether tracked files differ from it (None: not known); None where there is no repository."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "changed": None if changed is None else bool(changed)}


def now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


def _git(folder: Path, *question: str) -> str | None:
    command = ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", "-C", str(folder), *question]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return answer.stdout.strip()


def cpu_name() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.lower().startswith(("model name", "hardware")):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def device_facts(device: torch.device) -> dict[str, Any]:
    found: dict[str, Any] = {"type": device.type}
    if device.type != "cpu":
        backend: Any = torch.get_device_module(device)
        if hasattr(backend, "get_device_name"):
            found["name"] = backend.get_device_name(device)
        if hasattr(backend, "get_device_properties"):
            found["memory"] = getattr(backend.get_device_properties(device), "total_memory", None)
    return found


def _keep(sources: Path, origin: Path, text: str) -> dict[str, str]:
    """Copy a user's file into the run folder under its name and a piece of its digest, so that every version that was used stays."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    kept = sources / f"{safe_name(origin.stem)}-{digest[:8]}{origin.suffix}"
    sources.mkdir(mode=0o700, exist_ok=True)
    if not kept.exists():
        durable.replace(kept, text)
    return {"path": str(origin), "sha256": digest, "kept": f"{sources.name}/{kept.name}"}
