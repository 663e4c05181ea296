"""A certificate: one line a check, kept in the cache folder under a digest of everything that it depends on."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

from danlu.core import Run
from danlu.describe import user_file
from danlu.describe.forms import to_data
from danlu.errors import BadInput, Sentence, language
from danlu.folders import cache_folder
from danlu.run.changes import source_digest
from danlu.run.record import cpu_name, device_facts

OK, NOTE, FAILED = "ok", "note", "failed"


@dataclass(frozen=True)
class Line:
    """What one check found. said: the whole sentence in each language; figures: what was measured, as plain values."""

    name: str
    verdict: str
    said: Sentence
    figures: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return str(getattr(self.said, language()))


@dataclass(frozen=True)
class Certificate:
    """All lines, and when and how long they were looked for. kept: it was found in the cache."""

    lines: tuple[Line, ...]
    made: str
    seconds: float
    digest: str | None  # None: the recipe has no written form, so that nothing could be kept
    kept: bool = False

    @property
    def verdict(self) -> str:
        """The worst of the lines."""
        return max((line.verdict for line in self.lines), key=(OK, NOTE, FAILED).index)

    def having(self, verdict: str) -> list[Line]:
        return [line for line in self.lines if line.verdict == verdict]

    @property
    def facts(self) -> dict[str, Any]:
        """The whole page as JSON values."""
        lines = [{"check": line.name, "verdict": line.verdict, "says": str(line), "figures": dict(line.figures)} for line in self.lines]
        return {**asdict(self), "verdict": self.verdict, "lines": lines}

    @property
    def record(self) -> dict[str, Any]:
        """What a run remembers of it."""
        found = {"verdict": self.verdict, "made": self.made, "digest": self.digest}
        return found | {verdict: [line.name for line in lines] for verdict in (NOTE, FAILED) if (lines := self.having(verdict))}


def line(name: str, verdict: str, /, *sentences: Sentence | tuple[Sentence, Mapping[str, Any]], **figures: Any) -> Line:
    """A line that says all of `sentences`, filled with the figures (or with values of their own); a value may be a sentence itself."""
    pairs: list[tuple[Any, Any]] = [sentence if type(sentence) is tuple else (sentence, figures) for sentence in sentences]
    said = Sentence(*("".join(_filled(sentence, language, values) for sentence, values in pairs) for language in Sentence._fields))
    plain = {key: value for key, value in figures.items() if not isinstance(value, Sentence)}
    return Line(name, verdict, said, json.loads(json.dumps(_plain(plain), default=str)))


def _filled(sentence: Any, language: str, values: Mapping[str, Any]) -> str:
    plain = {key: value for key, value in values.items() if not isinstance(value, Sentence)}
    chosen = plain | {key: getattr(value, language).format(**plain) for key, value in values.items() if isinstance(value, Sentence)}
    return str(getattr(sentence, language).format(**chosen))


def _plain(value: Any) -> Any:
    """JSON has no NaN and no infinity."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


def digest(run: Run) -> str | None:
    """SHA-256 over the recipe, the user's files, danlu and what it computes with, the data and the machine; None if it cannot be had."""
    try:
        form = to_data(run.recipe, full=True)
    except BadInput:  # a function or a live module: it has no written form, and may be anything tomorrow
        return None
    if not run.data.fingerprint:
        return None
    whole = {
        "recipe": form,
        "sources": user_file.sources(form),
        "danlu": source_digest(),
        "with": {name: _version(name) for name in ("torch", "numpy", "transformers", "timm")},
        "data": run.data.fingerprint,
        "machine": [platform.python_version(), socket.gethostname(), platform.platform(), cpu_name(), os.cpu_count()],
        "device": [torch.get_num_threads(), device_facts(run.placement.device)],
    }
    return hashlib.sha256(json.dumps(whole, sort_keys=True, default=str).encode()).hexdigest()


def _version(package: str) -> str | None:
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(package)
    return None


def find(key: str | None) -> Certificate | None:
    """The certificate that was kept under `key`."""
    with suppress(OSError, ValueError, LookupError, TypeError):  # none, or not one of ours: it is looked for again
        found = json.loads(_place(key or "-").read_text("utf-8"))
        if found["digest"] == key:
            lines = tuple(Line(each["name"], each["verdict"], Sentence(*each["said"]), each["figures"]) for each in found["lines"])
            return Certificate(lines, found["made"], found["seconds"], key, kept=True)
    return None


def keep(certificate: Certificate) -> None:
    """Keep it for the next start; a cache that cannot be written only costs time."""
    if certificate.digest is None:
        return
    place = _place(certificate.digest)
    fresh = place.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(json.dumps(asdict(certificate), ensure_ascii=False), "utf-8")
        fresh.replace(place)


def _place(key: str) -> Path:
    return cache_folder() / "certificates" / f"{key}.json"
