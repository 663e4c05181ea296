"""Predict before you run: `quiz.yaml`. No answer is written down; which choice is right follows from results.json.

start_loss:
  ask: {en: "...", zh: "..."}
  value: start.loss                 # the choice whose range holds its mean is right
  choices:
    - {says: {...}, below: 1.0, why: {...}}
    - {says: {...}, from: 1.0, below: 3.0, why: {...}}
    - {says: {...}, from: 3.0, why: {...}}

fastest:
  ask: {...}
  pick: largest                     # or smallest: the choice whose value is that is right
  choices:
    - {says: {...}, value: lr_0.1.val_accuracy, why: {...}}

helps:
  ask: {...}
  verdict: momentum_helps           # the choice that names this claim's verdict is right
  choices:
    - {says: {...}, is: SUPPORTED, why: {...}}
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from danlu import messages
from danlu.describe.places import Spot
from danlu.errors import BadInput, Sentence
from danlu.learn import strict

VERDICTS = ("SUPPORTED", "NOT SUPPORTED", "INCONCLUSIVE")


@dataclass(frozen=True)
class Choice:
    """`rule` is what makes it right: a range (low, high), a key of results.json, or a verdict."""

    says: Sentence
    why: Sentence
    rule: Any


@dataclass(frozen=True)
class Question:
    """kind: "value", "pick" or "verdict"; target: a key, "largest" or "smallest", or a claim's id."""

    id: str
    ask: Sentence
    kind: str
    target: str
    choices: tuple[Choice, ...]

    @property
    def keys(self) -> list[str]:
        """Keys of results.json that it is decided by."""
        return [self.target] if self.kind == "value" else [choice.rule for choice in self.choices] if self.kind == "pick" else []

    def right(self, results: Any) -> int:
        """The place of the right choice, from 0. Raises BadInput where the results do not single one out."""
        if self.kind == "verdict":
            verdict = results.verdicts.get(self.target)
            if verdict is None:
                raise BadInput(messages.QUIZ_NO_CLAIM, question=self.id, claim=self.target)
            found = [place for place, choice in enumerate(self.choices) if choice.rule == verdict.word]
        elif self.kind == "value":
            mean = _mean(results, self.target, self.id)
            found = [place for place, choice in enumerate(self.choices) if choice.rule[0] <= mean < choice.rule[1]]
        else:
            means = [_mean(results, choice.rule, self.id) for choice in self.choices]
            best = max(means) if self.target == "largest" else min(means)
            found = [place for place, mean in enumerate(means) if mean == best]
        if len(found) != 1:
            raise BadInput(messages.QUIZ_NOT_ONE, question=self.id, found=len(found))
        return found[0]


def _mean(results: Any, key: str, question: str) -> float:
    value = results.value(key)
    mean = value.mean if value.mean is not None else value.values[0] if value.n == 1 else None
    if mean is None or not math.isfinite(mean):
        raise BadInput(messages.QUIZ_NO_VALUE, question=question, key=key)
    return float(mean)


def read(path: Path) -> tuple[Question, ...]:
    """Raises BadInput, naming file and line. Ranges must follow one another without a gap, so that every result has its choice."""
    data, spot = strict.document(path)
    if not isinstance(data, dict) or not data:
        raise spot.wrong(messages.QUIZ_EMPTY)
    return tuple(_question(name, given, spot.at(name)) for name, given in data.items())


def _question(name: str, data: Any, spot: Spot) -> Question:
    given = strict.mapping(data, spot, ("ask", "choices"), ("value", "pick", "verdict"))
    kinds = [kind for kind in ("value", "pick", "verdict") if kind in given]
    if len(kinds) != 1:
        raise spot.wrong(messages.QUIZ_ONE_KIND)
    kind, target = kinds[0], strict.text(given[kinds[0]], spot.at(kinds[0]))
    if kind == "pick" and target not in ("largest", "smallest"):
        raise spot.at("pick").wrong(messages.NOT_A_CHOICE, choices="largest, smallest", found=target, hint="")
    choices = tuple(_choice(kind, item, place) for item, place in strict.entries(given["choices"], spot.at("choices")))
    if len(choices) < 2:
        raise spot.at("choices").wrong(messages.QUIZ_TWO_CHOICES)
    if kind == "value":
        lows, highs = [choice.rule[0] for choice in choices], [choice.rule[1] for choice in choices]
        follow = [-math.inf, *highs] == [*lows, math.inf]
        if not follow or any(low >= high for low, high in zip(lows, highs)):
            raise spot.at("choices").wrong(messages.QUIZ_GAP)
    return Question(name, strict.sentence(given["ask"], spot.at("ask")), kind, target, choices)


def _choice(kind: str, data: Any, spot: Spot) -> Choice:
    more = {"value": ("from", "below"), "pick": ("value",), "verdict": ("is",)}[kind]
    given = strict.mapping(data, spot, ("says", "why", *(more if kind != "value" else ())), more)
    if kind == "value":
        low = strict.number(given["from"], spot.at("from")) if "from" in given else -math.inf
        rule: Any = (low, strict.number(given["below"], spot.at("below")) if "below" in given else math.inf)
    else:
        rule = strict.text(given[more[0]], spot.at(more[0]))
        if kind == "verdict" and rule not in VERDICTS:
            raise spot.at("is").wrong(messages.NOT_A_CHOICE, choices=", ".join(VERDICTS), found=rule, hint="")
    return Choice(strict.sentence(given["says"], spot.at("says")), strict.sentence(given["why"], spot.at("why")), rule)
