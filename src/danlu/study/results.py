"""`results.json` (stub: the interface is settled, the bodies follow)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from danlu.study.claims import Claim, Verdict


@dataclass(frozen=True)
class Measured:
    """A number with where it comes from.

    values, seeds: one value a seed, in the order of seeds; a number that no seed changes (a count, a formula) has one value and no seed
    mean, deviation: of the values; low, high: the 95 % t-interval of the mean; all None where a value is None or there are too few
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
    """{seed: value}, or one number that needs no seed, with mean, deviation and interval."""
    raise NotImplementedError


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
        """Judge the claims on the values, and add machine and digests."""
        raise NotImplementedError

    def value(self, key: str) -> Measured:
        """Raises BadInput with the nearest key if there is none."""
        raise NotImplementedError

    def write(self, path: str | os.PathLike[str]) -> None:
        """As JSON: sorted, indented, floats as they are, the same bytes for the same numbers."""
        raise NotImplementedError

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Results:
        """Strictly. Raises BadInput for what `write` would not have written."""
        raise NotImplementedError


def digest(files: Sequence[str | os.PathLike[str]]) -> str:
    """SHA-256 over names and contents of the files a study is made from, whatever the folder they lie in."""
    raise NotImplementedError
