"""Types for the fields of descriptions: plain values with the range they may have.

A description is a dataclass of plain values: bool, int, float, str, None, tuples of these, `Literal`s, and other descriptions.
The annotation is the only place where a range is said; parsing, help, JSON Schema and the laws all read it there.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True)
class Range:
    """Allowed values: low <= x <= high, or low < x when `open_low` (None: no bound; `open_high` likewise)."""

    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False

    def holds(self, value: float) -> bool:
        low = self.low is None or (value > self.low if self.open_low else value >= self.low)
        high = self.high is None or (value < self.high if self.open_high else value <= self.high)
        return low and high  # a NaN fails both

    def __str__(self) -> str:
        left = "" if self.low is None else f"{self.low:.15g} {'<' if self.open_low else '<='} "
        right = "" if self.high is None or math.isinf(self.high) else f" {'<' if self.open_high else '<='} {self.high:.15g}"
        return f"{left}x{right}"


@dataclass(frozen=True)
class Written:
    """Text in a form: the whole of it matches the regular expression `pattern`; `like` is an example."""

    pattern: str
    like: str

    def holds(self, text: str) -> bool:
        return re.fullmatch(self.pattern, text) is not None


_FINITE = {"high": math.inf, "open_high": True}

Positive = Annotated[float, Range(0, open_low=True, **_FINITE)]
NonNegative = Annotated[float, Range(0, **_FINITE)]
PositiveOrInfinite = Annotated[float, Range(0, open_low=True)]  # where .inf means "no limit"
Fraction = Annotated[float, Range(0, 1)]  # a probability, a share
Rate = Annotated[float, Range(0, 1, open_high=True)]  # a dropout rate, a momentum, a decay below one
PositiveInt = Annotated[int, Range(1)]
NonNegativeInt = Annotated[int, Range(0)]
Duration = Annotated[str, Written(r"\d+(\.\d+)?[smhd]", "30m")]  # a time: seconds, minutes, hours or days


def seconds(duration: str) -> float:
    """What a `Duration` is in seconds: `30m` is 1800."""
    return float(duration[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[duration[-1]]
