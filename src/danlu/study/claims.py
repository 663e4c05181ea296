"""Claims and verdicts (stub: the interface is settled, the bodies follow).

`claims.yaml` is a mapping from id to claim:

    momentum_helps:
      statement: {en: "...", zh: "..."}
      metric: val_accuracy
      a: momentum_9
      b: momentum_0
      relation: greater        # greater, less, equal: what a is, beside b
      effect: 0.005            # by how much at least; for equal, by how much at most
      seeds: 5                 # pairs that are needed, at least 5
      test: t                  # t, sign_flip
      regime: {en: "...", zh: "..."}   # where this was measured: data, steps, tuning
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from danlu.errors import Sentence
from danlu.study.results import Measured

Word = Literal["SUPPORTED", "NOT SUPPORTED", "INCONCLUSIVE"]


@dataclass(frozen=True)
class Claim:
    id: str
    statement: Sentence
    metric: str
    a: str
    b: str
    relation: Literal["greater", "less", "equal"]
    effect: float
    regime: Sentence
    seeds: int = 5
    test: Literal["t", "sign_flip"] = "t"

    @property
    def keys(self) -> tuple[str, str]:
        """The values that are compared: `A.METRIC`, `B.METRIC`."""
        return f"{self.a}.{self.metric}", f"{self.b}.{self.metric}"


@dataclass(frozen=True)
class Verdict:
    """word; n pairs; difference: mean of a - b with its 90 % interval low..high; p_for, p_against: Holm-adjusted; reason: a sentence."""

    word: Word
    n: int
    difference: float | None
    low: float | None
    high: float | None
    p_for: float | None
    p_against: float | None
    seeds_needed: int | None  # for 80 % power; only when INCONCLUSIVE
    reason: Sentence  # filled in, both languages


def read_claims(path: str | os.PathLike[str]) -> tuple[Claim, ...]:
    """Strictly: raises BadInput with file, line and the nearest right key."""
    raise NotImplementedError


def judge(claims: Sequence[Claim], values: Mapping[str, Measured]) -> dict[str, Verdict]:
    """The verdict of each claim, by id, Holm-corrected over all of them. Raises BadInput for a value that is not there."""
    raise NotImplementedError
