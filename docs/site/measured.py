"""What `bench/cards.py` has measured of a name, as sentences for its card. A figure that is there and has no value is an error."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import words

from danlu import find, messages
from danlu.errors import BadInput, Sentence
from danlu.find.source import Found
from danlu.study.results import Measured, Results


class Measurements:
    """Read from the results file, in one language."""

    def __init__(self, file: Path, language: str):
        self.language = language
        self.results = Results.read(file)
        self.others = len(find.catalogue("technique", others=False)) - 1

    def of(self, found: Found) -> dict[str, list[str]]:
        """By part of the card ("costs", "beside") or "evidence": the sentences that figures make."""
        made: dict[str, list[str]] = {"costs": [], "evidence": [], "beside": []}
        key = f"{found.kind}.{found.name}"
        if gain := self.value(f"{key}.gain"):
            rate = self.value(f"{key}.rate")
            what = self.say(words.GAIN[found.kind], rate=rate.mean if rate else None)
            row = f"{what}{self.colon}{self.say(words.POINTS, **self.range(gain, 100))}{self.stop}{self.say(words.SETTING)}"
            if fields := self.results.tables["fields"].get(found.name):
                row += self.stop + self.say(words.WITH_FIELDS, fields=", ".join(f"{name}={value}" for name, value in fields.items()))
            made["evidence"].append(row)
        if took := self.value(f"{key}.time"):
            same = self.value("plain.time")
            assert same is not None
            values = {**self.range(took), "same_low": same.low, "same_high": same.high}
            made["costs"].append(f"{self.say(words.TIME[found.kind])}{self.colon}{self.say(words.TIMES, **values)}{self.stop.strip()}")
        if state := self.value(f"{key}.state"):
            made["costs"].append(self.say(words.STATE, state=state.mean))
        if found.kind == "technique" and gain:
            made["beside"] += self.pairs(found.name)
        return made

    def pairs(self, name: str) -> list[str]:
        """What it cannot go with, and why."""
        reasons: dict[str, str] = {}
        for each in self.results.tables["refused"]:
            if name in (each["outer"], each["inner"]):
                other = each["inner"] if each["outer"] == name else each["outer"]
                reasons.setdefault(other, each[self.language])
        if not reasons:
            return [self.say(words.NO_PAIR, others=self.others)]
        said = self.say(words.PAIRS, others=self.others, names=", ".join(f"`{other}`" for other in reasons))
        return [said, "\n".join(f"- `{other}`{self.colon}{reason}" for other, reason in reasons.items())]

    def value(self, key: str) -> Measured | None:
        """None if it was never measured. Raises BadInput for one whose value is blank."""
        found = self.results.values.get(key)
        if found is not None and (found.mean is None or not math.isfinite(found.mean)):
            raise BadInput(messages.LESSON_BLANK, id="cards", key=key)
        return found

    def range(self, value: Measured, factor: float = 1.0) -> dict[str, Any]:
        assert value.mean is not None and value.low is not None and value.high is not None
        return {"mean": factor * value.mean, "low": factor * value.low, "high": factor * value.high, "n": value.n}

    def say(self, sentence: Sentence, **values: Any) -> str:
        return str(getattr(sentence, self.language).format(**values))

    @property
    def colon(self) -> str:
        return ": " if self.language == "en" else "："

    @property
    def stop(self) -> str:
        return ". " if self.language == "en" else "。"
