"""What a column of text holds: numbers, dates, categories, or nothing that a model can learn from."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from danlu import messages
from danlu.data.table import MISSING
from danlu.errors import BadInput

MOST_DISTINCT = 10_000  # different values that are remembered of a column
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
ORDERS = ("ymd", "mdy", "dmy")
TIME = r"(?:[T ]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(?:Z|[+-]\d{2}:?\d{2})?)?"
YEAR_FIRST = re.compile(r"(\d{4})(?:[-/.](\d{1,2})[-/.](\d{1,2})|年(\d{1,2})月(\d{1,2})日)\s*" + TIME)
YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})\s*" + TIME)
PARTS = ("day", "year", "month", "weekday")  # day: days since the start of year 1, with the time of day


def missing(value: str) -> bool:
    return not value or value.lower() in MISSING


def number(value: str) -> float | None:
    """A finite number, thousands separated by commas or not, else None."""
    try:
        found = float(value)
    except ValueError:
        if not THOUSANDS.fullmatch(value):
            return None
        found = float(value.replace(",", ""))
    return found if math.isfinite(found) else None


def numbers(name: str, values: Sequence[str]) -> np.ndarray:
    """A column as float64 [rows], NaN where it is missing. Raises BadInput for a value that is no finite number, by its row from 0."""
    try:
        quick = np.array(list(map(float, values)), dtype=np.float64)
        if np.isfinite(quick).all():
            return quick
    except ValueError:
        pass
    found = np.empty(len(values))
    for row, value in enumerate(values):
        if missing(value):
            found[row] = math.nan
        elif (x := number(value)) is None:
            raise BadInput(messages.TABLE_NOT_NUMBER, column=name, row=row, value=value[:60])
        else:
            found[row] = x
    return found


def moment(value: str, order: str) -> tuple[float, int, int, int] | None:
    """A date as (days since year 1 with the time of day, year, month, weekday from 0), or None. order: where year, month and day stand."""
    if found := (YEAR_FIRST if order == "ymd" else YEAR_LAST).fullmatch(value):
        parts = found.groups()
        *places, hour, minute, second = parts
        whole = [int(part) for part in places if part is not None]
        year, month, day = whole if order == "ymd" else (whole[2], *(whole[:2] if order == "mdy" else whole[1::-1]))
        try:
            at = date(year, month, day)
        except ValueError:
            return None
        seconds = int(hour or 0) * 3600 + int(minute or 0) * 60 + int(second or 0)
        return at.toordinal() + seconds / 86400, year, month, at.weekday()
    return None


def dates(name: str, values: Sequence[str], order: str, part: str) -> np.ndarray:
    """A part (of `PARTS`) of a column of dates as float64 [rows], NaN where it is missing. Raises BadInput for what is no date."""
    place, known = PARTS.index(part), {}
    found = np.empty(len(values))
    for row, value in enumerate(values):
        if value not in known:
            at = moment(value, order)
            if at is None and not missing(value):
                raise BadInput(messages.TABLE_NOT_DATE, column=name, row=row, value=value[:60], order=order)
            known[value] = math.nan if at is None else float(at[place])
        found[row] = known[value]
    return found


@dataclass
class Seen:
    """What is known of a column after some of its rows: enough to say what it holds, in little memory."""

    rows: int = 0
    missing: int = 0
    distinct: set[str] = field(default_factory=set)  # of what is not missing, at most MOST_DISTINCT
    numeric: int = 0  # values that are numbers
    odd: str = ""  # the first value that is none
    whole: bool = True  # every number is an integer
    low: float = math.inf
    high: float = -math.inf
    orders: tuple[str, ...] = ORDERS  # in which every value is a date

    def add(self, values: Sequence[str]) -> None:
        """Look at more rows. A column with a value that is no number is not parsed again, except for how much of it is numbers."""
        self.rows += len(values)
        there = [value for value in values if not missing(value)]
        self.missing += len(values) - len(there)
        if len(self.distinct) < MOST_DISTINCT:
            self.distinct.update(there)
        if self.odd and self.numeric == 0:
            self._dates(there)
            return
        for value, x in _parsed(there):
            if x is None:
                self.odd = self.odd or value
            else:
                self.numeric += 1
                self.whole = self.whole and x == int(x)
                self.low, self.high = min(self.low, x), max(self.high, x)
        if self.odd:
            self._dates(there)

    def _dates(self, there: list[str]) -> None:
        if self.orders:
            fresh = set(there)
            self.orders = tuple(order for order in self.orders if all(moment(value, order) for value in fresh))

    @property
    def there(self) -> int:
        return self.rows - self.missing

    def is_numeric(self) -> bool:
        return self.there > 0 and not self.odd

    def is_date(self) -> bool:
        return self.there > 0 and bool(self.odd) and self.numeric == 0 and bool(self.orders)

    def is_row_number(self) -> bool:
        """Every row another integer without a gap, as an index is."""
        return self.is_numeric() and self.whole and self.missing == 0 and self.there > 50 and self.high - self.low == self.there - 1

    def is_identifier(self) -> bool:
        """Text of which most values are there once or twice: a name, a number of a passport, a sentence."""
        return len(self.distinct) > 50 and len(self.distinct) > 0.5 * min(self.there, MOST_DISTINCT)


def _parsed(values: list[str]) -> Iterator[tuple[str, float | None]]:
    for value in values:
        yield value, number(value)
