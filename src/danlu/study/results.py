"""`results.json`: every number a page shows, with its seeds, its interval and what it was measured with. Pages and quizzes only read it.

    {"format": 1, "study": "03",
     "values": {"lr_0_1.val_accuracy": {"values": [...], "seeds": [...], "mean": 0.9, "deviation": 0.1, "low": 0.8, "high": 1.0}},
     "verdicts": {"CLAIM": {"word": "SUPPORTED", ...}}, "tables": {...},
     "machine": {...}, "source": "SHA-256", "inputs": "SHA-256", "cpu_seconds": 4.2}

Means and intervals are computed again when it is read, and must agree: a number that was edited by hand is an error.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from danlu import find, messages
from danlu.describe.forms import make
from danlu.describe.places import Spot
from danlu.describe.recipe_file import read
from danlu.errors import BadInput, Sentence
from danlu.run import durable
from danlu.study import paired

if TYPE_CHECKING:
    from danlu.study.claims import Claim, Verdict

FORMAT = 1
LEVEL = 0.95
MACHINE = ("cpu", "cores", "threads", "device", "system", "python", "danlu")


@dataclass(frozen=True)
class Measured:
    """A number with where it comes from.

    values, seeds: one value a seed, in the order of seeds; a number that no seed changes (a count, a formula) has one value and no seed
    mean, deviation: of the values (sample deviation); low, high: the 95 % t-interval of the mean. None where a value is not finite, and,
    but for the mean, where there are fewer than two seeds.
    """

    values: tuple[float | None, ...]
    seeds: tuple[int, ...] = ()
    mean: float | None = None
    deviation: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def n(self) -> int:
        return len(self.values)


def measured(values: Mapping[int, float | None] | float) -> Measured:
    """{seed: value}, or one number that needs no seed, with mean, deviation and interval; what is not finite is kept as None."""
    if not isinstance(values, Mapping):
        value = _finite(values)
        return Measured((value,), (), value)
    if not values:
        raise BadInput(messages.NO_SEEDS)
    seeds = tuple(sorted(values))
    found = tuple(_finite(values[seed]) for seed in seeds)
    if any(value is None for value in found):
        return Measured(found, seeds)
    numbers = np.array(found, dtype=np.float64)
    if len(numbers) < 2:
        return Measured(found, seeds, float(numbers.mean()))
    low, high = paired.interval(numbers, level=LEVEL)
    return Measured(found, seeds, float(numbers.mean()), float(numbers.std(ddof=1)), low, high)


def _finite(value: Any) -> float | None:
    return None if value is None or not math.isfinite(float(value)) else float(value)


@dataclass(frozen=True)
class Results:
    """What a study found, and with what: everything a page needs.

    values: `ARM.METRIC` -> Measured (any dotted key is fine for numbers that no claim compares)
    verdicts: by claim id; tables: plain data for figures, quizzes and cards, whatever a study wants to keep
    machine: processor, cores, threads, Python, torch; source: digest of danlu's source; inputs: digest of the study's own files
    """

    study: str
    values: Mapping[str, Measured]
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    tables: Mapping[str, Any] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    inputs: str = ""
    cpu_seconds: float | None = None

    @classmethod
    def of(
        cls,
        study: str,
        values: Mapping[str, Measured],
        *,
        inputs: Sequence[str | os.PathLike[str]] = (),
        claims: Sequence[Claim] = (),
        tables: Mapping[str, Any] | None = None,
        cpu_seconds: float | None = None,
    ) -> Results:
        """Judge the claims on the values, and add machine and digests. Raises BadInput as `claims.judge` does."""
        from danlu.run.changes import source_digest
        from danlu.study.claims import judge

        return cls(study, values, judge(claims, values), tables or {}, machine(), source_digest(), digest(inputs), cpu_seconds)

    def value(self, key: str) -> Measured:
        """Raises BadInput with the nearest key if there is none."""
        if key not in self.values:
            raise BadInput(messages.NO_SUCH_VALUE, key=key, hint=find.hint(key, list(self.values)))
        return self.values[key]

    def write(self, path: str | os.PathLike[str]) -> None:
        """As JSON, replaced at once; the same bytes for the same results. Raises BadInput for a table with NaN, infinity or objects."""
        verdicts = {name: {**asdict(verdict), "reason": verdict.reason._asdict()} for name, verdict in self.verdicts.items()}
        values = {key: asdict(value) for key, value in self.values.items()}
        data = {"format": FORMAT, **{name: getattr(self, name) for name in _FIELDS}, "values": values, "verdicts": verdicts}
        try:
            text = json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False, sort_keys=True)
        except (TypeError, ValueError) as error:
            raise BadInput(messages.RESULTS_NOT_PLAIN, reason=error) from error
        durable.replace(Path(path), text + "\n")

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Results:
        """Strictly. Raises BadInput, with file, line and key, for what `write` would not have written."""
        from danlu.study.claims import Verdict

        data, places = read(Path(path))
        spot = Spot(places)
        file = make(_file_form(), data if isinstance(data, Mapping) else {}, spot)
        if file.format != FORMAT:
            raise spot.at("format").wrong(messages.RESULTS_FORMAT, found=file.format, known=FORMAT)
        for key, value in file.values.items():
            again = measured(dict(zip(value.seeds, value.values))) if value.seeds else measured(value.values[0]) if value.values else None
            if again is None or not _close(again, value):
                raise spot.at("values", key).wrong(messages.RESULTS_EDITED)
        verdicts = {name: Verdict(**{**vars(v), "reason": Sentence(v.reason.en, v.reason.zh)}) for name, v in file.verdicts.items()}
        return cls(file.study, file.values, verdicts, data["tables"], data["machine"], file.source, file.inputs, file.cpu_seconds)


_FIELDS = ("study", "tables", "machine", "source", "inputs", "cpu_seconds")


def _file_form() -> type:
    """The form of the file as a description, whose fields are checked as those of a recipe are."""
    from danlu.study.claims import Both, Word

    @dataclass(frozen=True)
    class Judged:
        word: Word
        n: int
        difference: float | None
        low: float | None
        high: float | None
        p_for: float | None
        p_against: float | None
        seeds_needed: int | None
        reason: Both

    @dataclass(frozen=True)
    class File:
        format: int
        study: str
        values: dict[str, Measured]
        verdicts: dict[str, Judged]
        tables: dict[str, Any]
        machine: dict[str, Any]
        source: str
        inputs: str
        cpu_seconds: float | None

    for form, types in ((Judged, {"word": Word, "reason": Both}), (File, {"values": dict[str, Measured], "verdicts": dict[str, Judged]})):
        for each in form.__dataclass_fields__.values():  # annotations are text here, and these names are no module's
            each.type = types.get(each.name, each.type)
    return File


def _close(again: Measured, value: Measured) -> bool:
    """Equal within what another machine's arithmetic may change."""
    pairs = [(getattr(again, name), getattr(value, name)) for name in ("mean", "deviation", "low", "high")]
    scale = max([abs(v) for v in value.values if v is not None], default=0.0)
    same = all((a is None) == (b is None) and (a is None or math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9 * scale)) for a, b in pairs)
    return same and again.seeds == value.seeds and again.values == value.values


def machine() -> dict[str, Any]:
    """What the numbers depend on beside the code: processor, cores, threads, versions. No name of host or user."""
    import torch

    from danlu.run.record import environment

    found = environment(torch.device("cpu"))
    return {**{key: found[key] for key in MACHINE}, "torch": torch.__version__}


def digest(files: Sequence[str | os.PathLike[str]]) -> str:
    """SHA-256 over names and contents of the files a study is made from, whatever the folder they lie in and their order.

    Raises BadInput for one that cannot be read.
    """
    hashed = hashlib.sha256()
    for path in sorted(map(Path, files), key=lambda path: path.name):
        try:
            content = path.read_bytes()
        except OSError as error:
            raise BadInput(messages.CANNOT_READ, path=path, error=error.strerror) from error
        hashed.update(f"{path.name}\0{len(content)}\0".encode())
        hashed.update(content)
    return hashed.hexdigest()
